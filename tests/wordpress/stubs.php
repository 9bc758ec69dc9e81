<?php
/**
 * As much of WordPress as the plugin calls, in memory. What matters is imitated closely: which hooks a change fires and in which
 * order, what a setter answers when nothing changes, and that functions take names like `approve` and hooks give ones like `approved`.
 */

define( 'ABSPATH', __DIR__ );
define( 'DAY_IN_SECONDS', 86400 );
define( 'EMPTY_TRASH_DAYS', 30 );

/** The state of the imitated WordPress. */
final class Site {
	public static $hooks      = array();
	public static $comments   = array();
	public static $posts      = array();
	public static $users      = array();
	public static $meta       = array();
	public static $transients = array();
	/** Routes of the REST API by their address. */
	public static $routes = array();
	/** Planned events: [time, hook, arguments]. */
	public static $planned = array();
	/** What was posted: [address, arguments]. */
	public static $posted = array();
	/** Answers a request: function ( $url, $arguments ). */
	public static $answer;
	/** Whether the acting user may moderate. */
	public static $moderates = false;
	public static $is_cron   = false;
	/** Whether the database refuses changes of a status. */
	public static $fails = false;
}

final class WP_Error {
	public $code;
	public $message;
	public $data;
	public function __construct( $code, $message = '', $data = null ) {
		list( $this->code, $this->message, $this->data ) = array( $code, $message, $data );
	}
	public function get_error_message() {
		return $this->message;
	}
}

/** A request of the REST API. */
final class Request {
	private $headers;
	private $body;
	public function __construct( array $headers, $body ) {
		$this->headers = array_change_key_case( $headers );
		$this->body    = $body;
	}
	public function get_header( $name ) {
		return $this->headers[ $name ] ?? null;
	}
	public function get_body() {
		return $this->body;
	}
}

function is_wp_error( $thing ) {
	return $thing instanceof WP_Error;
}

function add_action( $hook, $callback, $priority = 10, $count = 1 ) {
	Site::$hooks[ $hook ][] = array( $callback, $count );
}

function add_filter( $hook, $callback, $priority = 10, $count = 1 ) {
	add_action( $hook, $callback, $priority, $count );
}

function do_action( $hook, ...$arguments ) {
	foreach ( Site::$hooks[ $hook ] ?? array() as list( $callback, $count ) ) {
		call_user_func_array( $callback, array_slice( $arguments, 0, $count ) );
	}
}

function apply_filters( $hook, $value, ...$arguments ) {
	foreach ( Site::$hooks[ $hook ] ?? array() as list( $callback, $count ) ) {
		$value = call_user_func_array( $callback, array_slice( array_merge( array( $value ), $arguments ), 0, $count ) );
	}
	return $value;
}

function is_multisite() {
	return false;
}

function wp_doing_cron() {
	return Site::$is_cron;
}

function current_user_can( $capability ) {
	return Site::$moderates;
}

function user_can( $user, $capability ) {
	return in_array( 'editor', Site::$users[ $user ]->roles, true );
}

function get_userdata( $id ) {
	return Site::$users[ $id ] ?? false;
}

function get_comment( $id ) {
	// WordPress gives an object of its own to everybody who asks.
	return isset( Site::$comments[ $id ] ) ? clone Site::$comments[ $id ] : null;
}

function get_comment_meta( $id, $key ) {
	return Site::$meta[ $id ][ $key ] ?? '';
}

function update_comment_meta( $id, $key, $value ) {
	Site::$meta[ $id ][ $key ] = $value;
}

function delete_comment_meta( $id, $key ) {
	unset( Site::$meta[ $id ][ $key ] );
}

function transition( $new, $old, $comment ) {
	$names = array( '0' => 'unapproved', 'hold' => 'unapproved', '1' => 'approved', 'approve' => 'approved' );
	$new   = $names[ $new ] ?? $new;
	$old   = $names[ $old ] ?? $old;
	if ( $new !== $old ) {
		do_action( 'transition_comment_status', $new, $old, $comment );
	}
}

function wp_set_comment_status( $id, $status ) {
	$value = array( 'hold' => '0', 'approve' => '1', 'spam' => 'spam', 'trash' => 'trash' )[ $status ];
	$old   = Site::$comments[ $id ]->comment_approved;
	if ( $old === $value || Site::$fails ) {
		return false; // The database changed no row.
	}
	Site::$comments[ $id ]->comment_approved = $value;
	transition( $status, $old, get_comment( $id ) );
	return true;
}

function wp_spam_comment( $id ) {
	$done = wp_set_comment_status( $id, 'spam' );
	update_comment_meta( $id, '_wp_trash_meta_status', '1' );
	return $done;
}

function wp_trash_comment( $id ) {
	$done = wp_set_comment_status( $id, 'trash' );
	update_comment_meta( $id, '_wp_trash_meta_status', '1' );
	return $done;
}

function wp_delete_comment( $id ) {
	$comment = get_comment( $id );
	unset( Site::$comments[ $id ], Site::$meta[ $id ] );
	do_action( 'deleted_comment', (string) $id, $comment );
	transition( 'delete', $comment->comment_approved, $comment );
}

function wp_insert_comment( array $fields ) {
	$id      = (int) ( $fields['comment_ID'] ?? count( Site::$comments ) + 1 );
	$default = array(
		'comment_ID'           => (string) $id,
		'comment_post_ID'      => '0',
		'comment_author'       => '',
		'comment_author_email' => '',
		'comment_author_url'   => '',
		'comment_author_IP'    => '',
		'comment_date_gmt'     => '0000-00-00 00:00:00',
		'comment_content'      => '',
		'comment_approved'     => '1',
		'comment_agent'        => '',
		'comment_type'         => 'comment',
		'comment_parent'       => '0',
		'user_id'              => '0',
	);
	Site::$comments[ $id ] = (object) array_merge( $default, $fields );
	do_action( 'wp_insert_comment', $id, get_comment( $id ) );
	return $id;
}

function wp_update_comment( $id, array $fields ) {
	$old                   = Site::$comments[ $id ]->comment_approved;
	Site::$comments[ $id ] = (object) array_merge( (array) Site::$comments[ $id ], $fields );
	do_action( 'edit_comment', (string) $id, array() );
	$comment = get_comment( $id );
	transition( $comment->comment_approved, $old, $comment );
}

function get_post( $id ) {
	return is_object( $id ) ? $id : ( Site::$posts[ $id ] ?? null );
}

function get_permalink( $post ) {
	return "https://gazette.example/?p=$post->ID";
}

function get_the_category( $id ) {
	return array( (object) array( 'slug' => 'local' ) );
}

function post_type_supports( $type, $feature ) {
	return 'post' === $type && 'comments' === $feature;
}

function strip_shortcodes( $text ) {
	return preg_replace( '~\[/?[a-z]+[^\]]*\]~', '', $text );
}

function wp_strip_all_tags( $text ) {
	return trim( strip_tags( preg_replace( '@<(script|style)[^>]*?>.*?</\\1>@si', '', $text ) ) );
}

function wp_hash( $data ) {
	return hash_hmac( 'md5', $data, 'salt' );
}

function wp_generate_uuid4() {
	return bin2hex( random_bytes( 16 ) );
}

function wp_json_encode( $data, $options = 0 ) {
	return json_encode( $data, $options );
}

function esc_url( $url ) {
	return htmlspecialchars( $url, ENT_QUOTES );
}

function wp_remote_post( $url, $arguments ) {
	Site::$posted[] = array( $url, $arguments );
	return call_user_func( Site::$answer, $url, $arguments );
}

function wp_remote_retrieve_response_code( $response ) {
	return $response['response']['code'];
}

function wp_remote_retrieve_body( $response ) {
	return $response['body'];
}

function wp_schedule_single_event( $time, $hook, $arguments ) {
	Site::$planned[] = array( $time, $hook, $arguments );
}

function get_transient( $name ) {
	list( $value, $until ) = Site::$transients[ $name ] ?? array( false, 0 );
	return $until > time() ? $value : false;
}

function set_transient( $name, $value, $seconds ) {
	Site::$transients[ $name ] = array( $value, time() + $seconds );
}

function register_rest_route( $space, $route, $options ) {
	Site::$routes[ $space . $route ] = $options;
}

// Debian's php-cli comes without mbstring, and WordPress brings its own version of this.
if ( ! function_exists( 'mb_substr' ) ) {
	function mb_substr( $text, $start, $length ) {
		return implode( '', array_slice( preg_split( '//u', $text, -1, PREG_SPLIT_NO_EMPTY ), $start, $length ) );
	}
}
