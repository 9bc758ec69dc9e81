<?php
/**
 * Plugin Name: Claque
 * Description: Sends comments and articles to a Claque service, shows its verdicts, and applies what moderators decide there.
 * Version: 0.1.0
 * Requires PHP: 7.4
 * License: Apache-2.0
 *
 * A must-use plugin: put this file into wp-content/mu-plugins. Constants in wp-config.php configure it:
 *
 *   CLAQUE_URL              the service, such as https://claque.example
 *   CLAQUE_HOOK             the hook's name (claque hooks add NAME --adapter generic)
 *   CLAQUE_SECRET           the hook's secret, whsec_...
 *   CLAQUE_CALLBACK_SECRET  the callback's secret, whsec_...; without it no decisions are taken
 *   CLAQUE_HOLD             true: comments with the verdict `review` wait for a moderator too; `hold` always does
 *   CLAQUE_TIMEOUT          seconds that a reader's comment may be delayed; 2 if not given
 *   CLAQUE_REJECT_AS        what becomes of a rejected comment: 'spam' (if not given) or 'trash'
 *
 * What the service does not answer in time is published as usual and sent again later.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

final class Claque_Plugin {

	/** Seconds before each further try of a delivery. */
	const PAUSES = array( 60, 300, 1800, 7200, 28800 );

	/** Seconds that a callback's time may be from ours. */
	const TOLERANCE = 300;

	/** Characters of an article that are sent: the service takes bodies up to 4 MiB. */
	const ARTICLE_LENGTH = 200000;

	/** The comment's verdict, 1 - p, and the address that explains it. */
	const VERDICT = 'claque_verdict';
	const SCORE   = 'claque_score';
	const CARD    = 'claque_card';

	/** `decided` or `edited`: a moderator saw the present text. A verdict that comes late does not hold it back. */
	const JUDGED = 'claque_judged';

	/** Decision id => the comment's status before it, for an undo. */
	const BEFORE = 'claque_before';

	/** WordPress's names of a comment's status in the database and in transitions => Claque's. */
	const STATUSES = array(
		'1'          => 'published',
		'approved'   => 'published',
		'0'          => 'pending',
		'unapproved' => 'pending',
		'spam'       => 'rejected',
		'trash'      => 'rejected',
	);

	/** True while this plugin itself changes a status: such a change is no person's judgement. */
	private static $quiet = false;

	/** True once the service failed in this request. Emptying the spam folder must not wait for it a thousand times. */
	private static $is_down = false;

	public static function start() {
		// Ids repeat across the sites of a network, and one hook belongs to one site.
		if ( is_multisite() && ! is_main_site() ) {
			return;
		}
		if ( self::setting( 'URL' ) && self::setting( 'HOOK' ) && self::key( self::setting( 'SECRET' ) ) !== '' ) {
			add_action( 'wp_insert_comment', array( __CLASS__, 'on_insert' ), 10, 2 );
			add_action( 'edit_comment', array( __CLASS__, 'on_edit' ) );
			add_action( 'transition_comment_status', array( __CLASS__, 'on_status' ), 10, 3 );
			add_action( 'deleted_comment', array( __CLASS__, 'on_delete' ), 10, 2 );
			add_action( 'transition_post_status', array( __CLASS__, 'on_publish' ), 10, 3 );
			add_action( 'post_updated', array( __CLASS__, 'on_post_update' ), 10, 3 );
			add_action( 'claque_retry', array( __CLASS__, 'deliver' ), 10, 4 );
			add_filter( 'manage_edit-comments_columns', array( __CLASS__, 'columns' ) );
			add_action( 'manage_comments_custom_column', array( __CLASS__, 'column' ), 10, 2 );
		}
		if ( self::key( self::setting( 'CALLBACK_SECRET' ) ) !== '' ) {
			add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
		}
	}

	// What happens in WordPress.

	public static function on_insert( $id, $comment ) {
		$is_import = defined( 'WP_IMPORTING' ) && WP_IMPORTING;
		if ( self::is_reader_comment( $comment ) && ! $is_import ) {
			self::deliver( 'comment.created', (int) $id );
		}
	}

	public static function on_edit( $id ) {
		if ( ! self::is_reader_comment( get_comment( $id ) ) ) {
			return;
		}
		// What was judged earlier was the earlier text.
		if ( current_user_can( 'edit_comment', $id ) ) {
			update_comment_meta( $id, self::JUDGED, 'edited' );
		} else {
			delete_comment_meta( $id, self::JUDGED );
		}
		self::deliver( 'comment.updated', (int) $id );
	}

	public static function on_status( $new, $old, $comment ) {
		$status = self::STATUSES[ $new ] ?? null;
		$before = self::STATUSES[ $old ] ?? null;
		// Only what people do is a judgement: no filter's work, no timer's. `deleted_comment` tells of deletions.
		$by_person = ! self::$quiet && ! wp_doing_cron() && current_user_can( 'edit_comment', $comment->comment_ID );
		if ( null === $status || $status === $before || ! $by_person || ! self::is_reader_comment( $comment ) ) {
			return;
		}
		update_comment_meta( $comment->comment_ID, self::JUDGED, 'decided' );
		self::deliver( 'comment.status', (int) $comment->comment_ID );
	}

	public static function on_delete( $id, $comment ) {
		if ( self::is_reader_comment( $comment ) ) {
			self::deliver( 'comment.deleted', (int) $id );
		}
	}

	public static function on_publish( $new, $old, $post ) {
		if ( 'publish' === $new && 'publish' !== $old && post_type_supports( $post->post_type, 'comments' ) ) {
			self::deliver( 'article.published', (int) $post->ID );
		}
	}

	public static function on_post_update( $id, $after, $before ) {
		$is_change = 'publish' === $before->post_status && 'publish' === $after->post_status;
		if ( $is_change && post_type_supports( $after->post_type, 'comments' ) ) {
			self::deliver( 'article.published', (int) $id );
		}
	}

	/** Readers' comments only: no pingbacks and trackbacks, no notes that shops and other plugins keep as comments. */
	private static function is_reader_comment( $comment ) {
		return $comment && in_array( $comment->comment_type, array( '', 'comment' ), true );
	}

	// The way to Claque.

	/**
	 * Sends an event; when that fails, it is planned again. The record is read anew on every try, so a late delivery tells how things
	 * are and not how they were. The message's id stays: the service does nothing twice.
	 */
	public static function deliver( $type, $id, $attempt = 0, $message = '' ) {
		$message = $message ? $message : 'msg_' . wp_generate_uuid4();
		$data    = self::data( $type, $id );
		if ( null === $data ) {
			return; // Gone meanwhile.
		}
		if ( self::$is_down ) {
			// Nothing was tried: the same attempt comes later.
			wp_schedule_single_event( time() + self::PAUSES[0], 'claque_retry', array( $type, $id, $attempt, $message ) );
			return;
		}
		$answer = self::post( $type, $data, $message );
		if ( null === $answer ) {
			self::$is_down = true;
			if ( isset( self::PAUSES[ $attempt ] ) ) {
				wp_schedule_single_event( time() + self::PAUSES[ $attempt ], 'claque_retry', array( $type, $id, $attempt + 1, $message ) );
			}
			return;
		}
		if ( 'comment.created' === $type || 'comment.updated' === $type ) {
			self::take_verdict( $id, $answer );
			// A judgement that came while the comment was unknown to the service found nothing there to change.
			if ( $attempt > 0 && 'decided' === get_comment_meta( $id, self::JUDGED, true ) ) {
				self::deliver( 'comment.status', $id );
			}
		}
	}

	/** The event's `data`, or null when what it tells of is gone. */
	private static function data( $type, $id ) {
		if ( 'comment.deleted' === $type ) {
			return array( 'id' => (string) $id );
		}
		if ( 'article.published' === $type ) {
			$post = get_post( $id );
			return $post && 'publish' === $post->post_status ? self::article( $post ) : null;
		}
		$comment = get_comment( $id );
		if ( ! $comment ) {
			return null;
		}
		if ( 'comment.status' === $type ) {
			$status = self::STATUSES[ $comment->comment_approved ] ?? null;
			return null === $status ? null : array( 'id' => (string) $id, 'status' => $status );
		}
		return self::comment( $comment );
	}

	/** A comment's record with its article. Parts that are not known are left out. */
	private static function comment( $comment ) {
		$user = $comment->user_id ? get_userdata( $comment->user_id ) : false;
		$mail = strtolower( trim( $comment->comment_author_email ) );
		if ( $user ) {
			$author_id = (string) $user->ID;
		} else {
			// Guests of one name are not one person, and a guest who changes the name is not two: the address tells them apart.
			$author_id = $mail ? 'guest-' . wp_hash( $mail ) : null;
		}
		$author = array(
			'id'            => $author_id,
			'name'          => $comment->comment_author,
			'email'         => $mail,
			'ip'            => $comment->comment_author_IP,
			'url'           => $comment->comment_author_url,
			'user_agent'    => $comment->comment_agent,
			'registered_at' => $user ? self::time( $user->user_registered ) : null,
			'role'          => $user ? ( array_values( $user->roles )[0] ?? null ) : null,
		);
		$post   = get_post( $comment->comment_post_ID );
		$record = array(
			'id'         => (string) $comment->comment_ID,
			'article_id' => $comment->comment_post_ID ? (string) $comment->comment_post_ID : null,
			'parent_id'  => $comment->comment_parent ? (string) $comment->comment_parent : null,
			'author'     => self::known( $author ),
			'created_at' => self::time( $comment->comment_date_gmt ),
			'status'     => self::STATUSES[ $comment->comment_approved ] ?? null,
			// The site's language is not always its readers'. Whoever knows the comment's says so; else the service detects it.
			'lang'       => apply_filters( 'claque_lang', null, $comment ),
			'article'    => $post ? self::article( $post ) : null,
		);
		return array( 'text' => $comment->comment_content ) + self::known( $record );
	}

	private static function article( $post ) {
		// Without markup the paragraphs would run together, so each end of a block becomes a line's end.
		$body     = preg_replace( '~</(?:p|h[1-6]|li|blockquote|div|figcaption|td)>|<br\s*/?>~i', "\n", strip_shortcodes( $post->post_content ) );
		$body     = html_entity_decode( wp_strip_all_tags( (string) $body ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
		$sections = get_the_category( $post->ID );
		$record   = self::known(
			array(
				'id'           => (string) $post->ID,
				'url'          => get_permalink( $post ),
				'body'         => mb_substr( $body, 0, self::ARTICLE_LENGTH, 'UTF-8' ),
				'section'      => $sections ? $sections[0]->slug : null,
				'published_at' => self::time( $post->post_date_gmt ),
			)
		);
		$title = html_entity_decode( wp_strip_all_tags( $post->post_title ), ENT_QUOTES | ENT_HTML5, 'UTF-8' );
		return $record + array( 'title' => $title );
	}

	private static function known( array $record ) {
		return array_filter(
			$record,
			function ( $value ) {
				return null !== $value && '' !== $value && array() !== $value && false !== $value;
			}
		);
	}

	/** A time of the database (UTC) after RFC 3339; null for the zero that drafts and damaged rows have. */
	private static function time( $gmt ) {
		return preg_match( '/^[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d$/', (string) $gmt ) ? str_replace( ' ', 'T', $gmt ) . 'Z' : null;
	}

	/** Posts an event. Returns the answer (an empty array when there is none to read), or null when it failed. */
	private static function post( $type, array $data, $message ) {
		$event = array( 'type' => $type, 'timestamp' => gmdate( 'Y-m-d\TH:i:s\Z' ), 'data' => $data );
		$body  = wp_json_encode( $event, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		if ( false === $body ) {
			return null;
		}
		$now      = (string) time();
		$response = wp_remote_post(
			rtrim( self::setting( 'URL' ), '/' ) . '/hooks/' . rawurlencode( self::setting( 'HOOK' ) ),
			array(
				'timeout'     => (float) self::setting( 'TIMEOUT', 2 ),
				'redirection' => 0,
				'headers'     => array(
					'Content-Type'      => 'application/json',
					'webhook-id'        => $message,
					'webhook-timestamp' => $now,
					'webhook-signature' => self::sign( self::setting( 'SECRET' ), $message, $now, $body ),
				),
				'body'        => $body,
			)
		);
		$code = is_wp_error( $response ) ? $response->get_error_message() : (int) wp_remote_retrieve_response_code( $response );
		// A comment's text is answered with 200 and a verdict, everything else with 204.
		$is_text = 'comment.created' === $type || 'comment.updated' === $type;
		if ( 204 === $code && ! $is_text ) {
			return array();
		}
		$answer = 200 === $code ? json_decode( wp_remote_retrieve_body( $response ), true ) : null;
		if ( ! is_array( $answer ) ) {
			error_log( "claque: $type was not taken: $code" );
			return null;
		}
		return $answer;
	}

	/** Keeps a verdict with its comment, and holds the comment back where that is due. */
	private static function take_verdict( $id, array $answer ) {
		$verdict = $answer['verdict'] ?? '';
		if ( ! in_array( $verdict, array( 'allow', 'review', 'hold' ), true ) ) {
			return;
		}
		update_comment_meta( $id, self::VERDICT, $verdict );
		update_comment_meta( $id, self::SCORE, (string) ( $answer['score'] ?? '' ) );
		update_comment_meta( $id, self::CARD, (string) ( $answer['card'] ?? '' ) );
		$is_due  = 'hold' === $verdict || ( 'review' === $verdict && self::setting( 'HOLD', false ) );
		$comment = get_comment( $id );
		if ( ! $is_due || ! $comment || '1' !== (string) $comment->comment_approved ) {
			return;
		}
		// What a moderator saw already, and what comes from one, does not wait for one.
		$is_judged = get_comment_meta( $id, self::JUDGED, true )
			|| ( $comment->user_id && user_can( (int) $comment->user_id, 'edit_comment', $id ) );
		if ( ! $is_judged ) {
			self::set_status( $comment, '0' );
		}
	}

	// The way back: decisions of moderators.

	public static function routes() {
		register_rest_route(
			'claque/v1',
			'/decisions',
			array(
				'methods'             => 'POST',
				'callback'            => array( __CLASS__, 'decide' ),
				'permission_callback' => array( __CLASS__, 'verify' ),
			)
		);
	}

	/** Standard Webhooks 1.0. The answer never tells which part was wrong. */
	public static function verify( $request ) {
		$id    = (string) $request->get_header( 'webhook-id' );
		$time  = (string) $request->get_header( 'webhook-timestamp' );
		$right = false;
		if ( '' !== $id && ctype_digit( $time ) && abs( time() - (int) $time ) <= self::TOLERANCE ) {
			$expected = self::sign( self::setting( 'CALLBACK_SECRET' ), $id, $time, $request->get_body() );
			// Several signatures while a secret is being changed.
			foreach ( explode( ' ', (string) $request->get_header( 'webhook-signature' ) ) as $given ) {
				$right = hash_equals( $expected, $given ) || $right;
			}
		}
		return $right ? true : new WP_Error( 'claque_signature', 'The signature or its time does not fit.', array( 'status' => 401 ) );
	}

	/** Applies a decision or takes it back. */
	public static function decide( $request ) {
		$seen = 'claque_seen_' . md5( (string) $request->get_header( 'webhook-id' ) );
		if ( get_transient( $seen ) ) {
			return array( 'repeated' => true );
		}
		$event = json_decode( $request->get_body(), true );
		$data  = is_array( $event['data'] ?? null ) ? $event['data'] : array();
		$done  = self::apply( $event['type'] ?? '', $data );
		if ( is_wp_error( $done ) ) {
			return $done; // Not remembered: the service tries again.
		}
		set_transient( $seen, 1, DAY_IN_SECONDS );
		return $done;
	}

	private static function apply( $type, array $data ) {
		$id      = (string) ( $data['comment']['id'] ?? '' );
		$comment = ctype_digit( $id ) ? get_comment( (int) $id ) : null;
		$is_ours = in_array( $type, array( 'comment.decided', 'comment.undone' ), true );
		if ( ! $is_ours || ! self::is_reader_comment( $comment ) ) {
			return array( 'ignored' => true );
		}
		$wanted = array(
			'published' => '1',
			'pending'   => '0',
			'rejected'  => self::rejected(),
		)[ $data['comment']['status'] ?? '' ] ?? null;
		// An escalation changed nothing here, so its undo has nothing to change back.
		if ( null === $wanted || 'escalate' === ( $data['action'] ?? '' ) ) {
			return array( 'applied' => false );
		}
		$decision = (string) ( $data['decision'] ?? '' );
		$before   = get_comment_meta( $comment->comment_ID, self::BEFORE, true );
		$before   = is_array( $before ) ? $before : array();
		if ( 'comment.undone' === $type ) {
			// The service does not know that a comment was held here: what was remembered here is more exact than what it says.
			$wanted = (string) ( $before[ $decision ] ?? $wanted );
			unset( $before[ $decision ] );
		} else {
			$before[ $decision ] = (string) $comment->comment_approved;
			$before              = array_slice( $before, -10, null, true );
		}
		if ( ! self::set_status( $comment, $wanted ) ) {
			return new WP_Error( 'claque_not_applied', 'The status could not be changed.', array( 'status' => 503 ) );
		}
		update_comment_meta( $comment->comment_ID, self::BEFORE, $before );
		if ( 'comment.undone' === $type ) {
			delete_comment_meta( $comment->comment_ID, self::JUDGED );
		} else {
			update_comment_meta( $comment->comment_ID, self::JUDGED, 'decided' );
		}
		return array( 'applied' => true );
	}

	/** Where rejected comments go. Without a trash, "trash" would delete for good, and nothing could be undone. */
	private static function rejected() {
		return 'trash' === self::setting( 'REJECT_AS', 'spam' ) && EMPTY_TRASH_DAYS ? 'trash' : 'spam';
	}

	/** Changes a comment's status without telling the service of it. */
	private static function set_status( $comment, $status ) {
		if ( (string) $comment->comment_approved === $status ) {
			return true;
		}
		$id          = (int) $comment->comment_ID;
		self::$quiet = true;
		try {
			if ( 'spam' === $status ) {
				return (bool) wp_spam_comment( $id );
			}
			if ( 'trash' === $status ) {
				return (bool) wp_trash_comment( $id );
			}
			// As wp_unspam_comment() and wp_untrash_comment() do: what they kept for the way back is stale now.
			delete_comment_meta( $id, '_wp_trash_meta_status' );
			delete_comment_meta( $id, '_wp_trash_meta_time' );
			return true === wp_set_comment_status( $id, '1' === $status ? 'approve' : 'hold' );
		} finally {
			self::$quiet = false;
		}
	}

	// The comments screen.

	public static function columns( $columns ) {
		return $columns + array( 'claque' => 'Claque' );
	}

	public static function column( $column, $id ) {
		if ( 'claque' !== $column ) {
			return;
		}
		$verdict = get_comment_meta( $id, self::VERDICT, true );
		$card    = get_comment_meta( $id, self::CARD, true );
		if ( 'review' === $verdict || 'hold' === $verdict ) {
			echo 'reads like templated text, <a href="' . esc_url( $card ) . '">see why</a>';
		} elseif ( 'allow' === $verdict ) {
			echo '<a href="' . esc_url( $card ) . '">nothing to remark</a>';
		}
	}

	// Settings and signatures.

	private static function setting( $name, $default = '' ) {
		return defined( "CLAQUE_$name" ) ? constant( "CLAQUE_$name" ) : $default;
	}

	/** The key behind a `whsec_` secret; empty when it is none. */
	private static function key( $secret ) {
		$is_secret = 0 === strpos( (string) $secret, 'whsec_' );
		return $is_secret ? (string) base64_decode( substr( $secret, strlen( 'whsec_' ) ), true ) : '';
	}

	/** A Standard Webhooks 1.0 signature. */
	public static function sign( $secret, $id, $time, $body ) {
		return 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$time.$body", self::key( $secret ), true ) );
	}
}

Claque_Plugin::start();
