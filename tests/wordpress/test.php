<?php
/**
 * Tests of the WordPress plugin. `php test.php defaults|hold|live`: constants cannot be changed, so every configuration is a run.
 */

ini_set( 'assert.exception', '1' );
error_reporting( E_ALL );
// A notice in the plugin is a failure.
set_error_handler(
	function ( $level, $message, $file, $line ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
);

require __DIR__ . '/stubs.php';

$scenario = $argv[1] ?? 'defaults';

define( 'CLAQUE_URL', getenv( 'CLAQUE_URL' ) ? getenv( 'CLAQUE_URL' ) : 'https://claque.example/' );
define( 'CLAQUE_HOOK', 'wordpress' );
define( 'CLAQUE_SECRET', getenv( 'CLAQUE_SECRET' ) ? getenv( 'CLAQUE_SECRET' ) : 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' );
define( 'CLAQUE_CALLBACK_SECRET', getenv( 'CLAQUE_CALLBACK_SECRET' ) ? getenv( 'CLAQUE_CALLBACK_SECRET' ) : 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' );
if ( 'hold' === $scenario ) {
	define( 'CLAQUE_HOLD', true );
	define( 'CLAQUE_TIMEOUT', 1 );
	define( 'CLAQUE_REJECT_AS', 'trash' );
} elseif ( 'live' === $scenario ) {
	define( 'CLAQUE_TIMEOUT', 20 ); // A slow machine is no failure.
}

require __DIR__ . '/../../examples/wordpress/claque.php';
do_action( 'rest_api_init' );
// Failures that the tests cause are no news.
ini_set( 'error_log', '/dev/null' );

// Helpers.

/** Compares, and ends the run with both values where they differ. */
function same( $expected, $actual, $what ) {
	if ( $expected !== $actual ) {
		echo "FAILED: $what\nexpected: ", json_encode( $expected ), "\nfound:    ", json_encode( $actual ), "\n";
		exit( 1 );
	}
}

/** Empties the imitated WordPress; the service answers as given. */
function begin( $code, $body = array() ) {
	Site::$comments = Site::$meta = Site::$transients = Site::$planned = Site::$posted = array();
	Site::$moderates = Site::$is_cron = Site::$fails = false;
	Site::$posts     = array(
		7 => (object) array(
			'ID'            => 7,
			'post_type'     => 'post',
			'post_status'   => 'publish',
			'post_title'    => 'Council approves the tram &amp; the bridge',
			'post_content'  => "<!-- wp:paragraph --><p>It will cost &euro; 184 million.</p><!-- /wp:paragraph --><p>Work begins in May.[gallery ids=\"1\"]</p>",
			'post_date_gmt' => '2026-11-20 08:00:00',
		),
	);
	Site::$users = array(
		3 => (object) array( 'ID' => 3, 'user_registered' => '2024-01-02 03:04:05', 'roles' => array( 'subscriber' ) ),
		4 => (object) array( 'ID' => 4, 'user_registered' => '2020-01-02 03:04:05', 'roles' => array( 'editor' ) ),
	);
	answer( $code, $body );
}

function answer( $code, $body = array() ) {
	Site::$answer = function () use ( $code, $body ) {
		return $code ? array( 'response' => array( 'code' => $code ), 'body' => json_encode( $body ) ) : new WP_Error( 'http_request_failed', 'timed out' );
	};
	// Every test stands for a request of its own.
	$down = new ReflectionProperty( 'Claque_Plugin', 'is_down' );
	$down->setAccessible( true );
	$down->setValue( null, false );
}

function verdict( $verdict ) {
	return array( 'id' => '1', 'score' => 0.9998, 'verdict' => $verdict, 'card' => 'https://claque.example/comments/gazette/1' );
}

/** The events that were posted, decoded. */
function events() {
	return array_map(
		function ( $posted ) {
			return json_decode( $posted[1]['body'], true );
		},
		Site::$posted
	);
}

function types() {
	return array_column( events(), 'type' );
}

/** Runs what is planned, as WordPress's timer does: each event is taken out before it is run. */
function run_planned() {
	Site::$is_cron = true;
	$due           = Site::$planned;
	Site::$planned = array();
	foreach ( $due as list( , $hook, $arguments ) ) {
		do_action( $hook, ...$arguments );
	}
	Site::$is_cron = false;
}

/** What the route answers to a callback. */
function callback( array $event, array $changed = array() ) {
	static $count = 0;
	$body    = json_encode( $event );
	$id      = $changed['id'] ?? 'msg_' . ++$count;
	$time    = (string) ( $changed['time'] ?? time() );
	$headers = array(
		'Webhook-Id'        => $id,
		'Webhook-Timestamp' => $time,
		'Webhook-Signature' => $changed['signature'] ?? 'v1a,other ' . Claque_Plugin::sign( CLAQUE_CALLBACK_SECRET, $id, $time, $body ),
	);
	return route( new Request( $headers, $changed['body'] ?? $body ) );
}

function route( Request $request ) {
	$route   = Site::$routes['claque/v1/decisions'];
	$allowed = call_user_func( $route['permission_callback'], $request );
	return true === $allowed ? call_user_func( $route['callback'], $request ) : $allowed;
}

function decision( $status, $action, $decision = 'd1', $type = 'comment.decided', $id = '1' ) {
	return array(
		'type' => $type,
		'data' => array(
			'decision' => $decision,
			'comment'  => array( 'id' => $id, 'status' => $status ),
			'action'   => $action,
			'actor'    => 'ann',
			'reason'   => null,
			'note'     => null,
			'campaign' => null,
			'because'  => array( 'text' ),
		),
	);
}

function status() {
	return get_comment( 1 )->comment_approved;
}

function column() {
	ob_start();
	do_action( 'manage_comments_custom_column', 'claque', 1 );
	return ob_get_clean();
}

// Tests.

$tests = array();

$tests['defaults']['the signature is that of Standard Webhooks'] = function () {
	$signature = Claque_Plugin::sign( 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', '{"test": 2432232314}' );
	same( 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', $signature, 'test vector' );
};

$tests['defaults']['a comment is sent with all that is known, and its article'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment(
		array(
			'comment_ID'           => '12',
			'comment_post_ID'      => '7',
			'comment_parent'       => '11',
			'comment_author'       => 'Zoë',
			'comment_author_email' => 'Zoe@Example.com ',
			'comment_author_url'   => 'https://zoe.example',
			'comment_author_IP'    => '203.0.113.9',
			'comment_agent'        => 'Browser/1',
			'comment_date_gmt'     => '2026-11-21 09:10:11',
			'comment_content'      => 'Good "news" / für alle.',
			'user_id'              => '3',
		)
	);
	list( $url, $arguments ) = Site::$posted[0];
	same( 'https://claque.example/hooks/wordpress', $url, 'address' );
	same( 2.0, $arguments['timeout'], 'timeout' );
	same( 0, $arguments['redirection'], 'redirects are not followed' );
	$headers = $arguments['headers'];
	same( 'application/json', $headers['Content-Type'], 'content type' );
	$signature = Claque_Plugin::sign( CLAQUE_SECRET, $headers['webhook-id'], $headers['webhook-timestamp'], $arguments['body'] );
	same( $signature, $headers['webhook-signature'], 'signature' );
	same( true, abs( time() - (int) $headers['webhook-timestamp'] ) < 5, 'time' );
	$event = events()[0];
	same( 'comment.created', $event['type'], 'type' );
	same( 1, preg_match( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $event['timestamp'] ), 'time of the event' );
	$expected = array(
		'text'       => 'Good "news" / für alle.',
		'id'         => '12',
		'article_id' => '7',
		'parent_id'  => '11',
		'author'     => array(
			'id'            => '3',
			'name'          => 'Zoë',
			'email'         => 'zoe@example.com',
			'ip'            => '203.0.113.9',
			'url'           => 'https://zoe.example',
			'user_agent'    => 'Browser/1',
			'registered_at' => '2024-01-02T03:04:05Z',
			'role'          => 'subscriber',
		),
		'created_at' => '2026-11-21T09:10:11Z',
		'status'     => 'published',
		'article'    => array(
			'id'           => '7',
			'url'          => 'https://gazette.example/?p=7',
			'body'         => "It will cost € 184 million.\nWork begins in May.",
			'section'      => 'local',
			'published_at' => '2026-11-20T08:00:00Z',
			'title'        => 'Council approves the tram & the bridge',
		),
	);
	same( $expected, $event['data'], 'record' );
};

$tests['defaults']['what is not known is left out, and guests are told apart by their address'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_ID' => '1', 'comment_approved' => '0', 'comment_content' => 'Hm.' ) );
	same( array( 'text' => 'Hm.', 'id' => '1', 'status' => 'pending' ), events()[0]['data'], 'record' );
	foreach ( array( 'a@example.com', 'A@example.com', 'b@example.com' ) as $mail ) {
		wp_insert_comment( array( 'comment_author' => 'Peter', 'comment_author_email' => $mail ) );
	}
	$ids = array_column( array_column( array_column( array_slice( events(), 1 ), 'data' ), 'author' ), 'id' );
	same( $ids[0], $ids[1], 'one guest' );
	same( false, $ids[0] === $ids[2], 'another guest of that name' );
	same( false, strpos( $ids[0], '@' ), 'no address in the id' );
};

$tests['defaults']['the language is sent when somebody knows it'] = function () {
	begin( 200, verdict( 'allow' ) );
	add_filter(
		'claque_lang',
		function ( $lang, $comment ) {
			return 'de' === $comment->comment_agent ? 'de' : $lang;
		},
		10,
		2
	);
	wp_insert_comment( array( 'comment_agent' => 'de' ) );
	same( 'de', events()[0]['data']['lang'], 'language' );
};

$tests['defaults']['only readers\' comments are sent'] = function () {
	begin( 200, verdict( 'allow' ) );
	foreach ( array( 'pingback', 'trackback', 'order_note' ) as $type ) {
		$id              = wp_insert_comment( array( 'comment_type' => $type ) );
		Site::$moderates = true;
		wp_update_comment( $id, array( 'comment_content' => 'x' ) );
		wp_set_comment_status( $id, 'spam' );
		wp_delete_comment( $id );
		Site::$moderates = false;
	}
	same( array(), Site::$posted, 'nothing was sent' );
};

$tests['defaults']['a verdict is kept and shown; `review` holds nothing back'] = function () {
	begin( 200, verdict( 'review' ) );
	wp_insert_comment( array( 'comment_post_ID' => '7', 'comment_content' => 'A nuanced understanding is crucial.' ) );
	same( '1', status(), 'published' );
	same( 'review', get_comment_meta( 1, 'claque_verdict' ), 'verdict' );
	same( '0.9998', get_comment_meta( 1, 'claque_score' ), 'score' );
	same( 'https://claque.example/comments/gazette/1', get_comment_meta( 1, 'claque_card' ), 'card' );
	same( array( 'cb' => '', 'claque' => 'Claque' ), apply_filters( 'manage_edit-comments_columns', array( 'cb' => '' ) ), 'column' );
	same( 'reads like templated text, <a href="https://claque.example/comments/gazette/1">see why</a>', column(), 'cell' );
	Site::$meta[1]['claque_card'] = 'https://claque.example/"><script>';
	same( false, strpos( column(), '<script>' ), 'escaped' );
	same( array(), Site::$planned, 'nothing to try again' );
};

$tests['defaults']['`hold` waits for a moderator, and the service is not told that a person did it'] = function () {
	begin( 200, verdict( 'hold' ) );
	// Even when somebody who may moderate acts, as behind a form that posts in his name.
	Site::$moderates = true;
	wp_insert_comment( array( 'comment_content' => 'A nuanced understanding is crucial.' ) );
	same( '0', status(), 'pending' );
	same( array( 'comment.created' ), types(), 'no comment.status' );
};

$tests['defaults']['a moderator\'s own comment does not wait, nor does one that is not published change'] = function () {
	begin( 200, verdict( 'hold' ) );
	wp_insert_comment( array( 'user_id' => '4' ) );
	same( '1', status(), 'a moderator\'s' );
	begin( 200, verdict( 'hold' ) );
	wp_insert_comment( array( 'comment_approved' => 'spam' ) );
	same( 'spam', status(), 'in the spam folder' );
	same( 'rejected', events()[0]['data']['status'], 'as it is sent' );
};

$tests['defaults']['no answer leaves the comment alone and is tried five times more'] = function () {
	foreach ( array( 0, 202, 204, 301, 401, 500, 503 ) as $code ) {
		begin( $code, verdict( 'hold' ) );
		wp_insert_comment( array( 'comment_content' => 'x' ) );
		same( '1', status(), "published after $code" );
		same( 1, count( Site::$planned ), "tries after $code" );
	}
	begin( 0 );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	$pauses = array();
	for ( $i = 0; $i < 9 && Site::$planned; $i++ ) {
		$pauses[] = (int) round( Site::$planned[0][0] - time(), -1 );
		answer( 0 );
		run_planned();
	}
	same( array( 60, 300, 1800, 7200, 28800 ), $pauses, 'pauses' );
	same( 6, count( Site::$posted ), 'tries' );
	$ids = array();
	foreach ( Site::$posted as $posted ) {
		$ids[ $posted[1]['headers']['webhook-id'] ] = true;
	}
	same( 1, count( $ids ), 'one message' );
	same( array(), get_comment_meta( 1, 'claque_verdict' ) ? array( 'verdict' ) : array(), 'no verdict' );
	same( '', column(), 'nothing to show' );
};

$tests['defaults']['an answer that is no verdict changes nothing'] = function () {
	foreach ( array( array( 'verdict' => 'delete' ), array(), array( 'verdict' => null ), 'hold', 7 ) as $body ) {
		begin( 200, $body );
		wp_insert_comment( array( 'comment_content' => 'x' ) );
		same( '1', status(), json_encode( $body ) );
		same( '', get_comment_meta( 1, 'claque_verdict' ), json_encode( $body ) );
	}
};

$tests['defaults']['a late verdict holds back, but not what a moderator has decided meanwhile'] = function () {
	begin( 0 );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	answer( 200, verdict( 'hold' ) );
	run_planned();
	same( '0', status(), 'held late' );
	same( array(), Site::$planned, 'done' );

	begin( 0 );
	wp_insert_comment( array( 'comment_content' => 'x', 'comment_approved' => '0' ) );
	answer( 200, verdict( 'allow' ) );
	Site::$moderates = true;
	wp_set_comment_status( 1, 'approve' );
	Site::$moderates = false;
	answer( 200, verdict( 'hold' ) );
	run_planned();
	same( '1', status(), 'the moderator\'s decision stands' );
	same( array( 'comment.created', 'comment.status', 'comment.created', 'comment.status' ), types(), 'and is told again, now that the comment is known' );
};

$tests['defaults']['after a failure the rest of the request does not wait'] = function () {
	begin( 0 );
	for ( $i = 0; $i < 20; $i++ ) {
		wp_insert_comment( array( 'comment_content' => 'x' ) );
	}
	same( 1, count( Site::$posted ), 'tried once' );
	same( 20, count( Site::$planned ), 'all planned' );
	answer( 200, verdict( 'allow' ) );
	run_planned();
	same( 21, count( Site::$posted ), 'all sent' );
	same( array(), Site::$planned, 'done' );
};

$tests['defaults']['what is deleted before its turn is not sent'] = function () {
	begin( 0 );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	answer( 200, verdict( 'allow' ) );
	wp_delete_comment( 1 );
	run_planned();
	same( array( 'comment.created', 'comment.deleted' ), types(), 'events' );
	same( array( 'id' => '1' ), events()[1]['data'], 'deleted' );
};

$tests['defaults']['edits are sent; a judgement was about the text that was judged'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'first' ) );
	Site::$moderates = true;
	wp_set_comment_status( 1, 'hold' );
	wp_set_comment_status( 1, 'approve' );
	Site::$moderates = false;
	answer( 200, verdict( 'hold' ) );
	wp_update_comment( 1, array( 'comment_content' => 'second' ) );
	same( array( 'comment.updated', 'second' ), array( events()[3]['type'], events()[3]['data']['text'] ), 'edit' );
	same( '0', status(), 'the new text waits' );
	same( 4, count( Site::$posted ), 'the hold is not echoed, though the edit goes on after it' );
	Site::$moderates = true;
	wp_update_comment( 1, array( 'comment_content' => 'third', 'comment_approved' => '1' ) );
	same( '1', status(), 'a moderator\'s edit is not held' );
	same( array( 'comment.updated', 'comment.status' ), array_slice( types(), 4 ), 'and tells what he made of it' );
};

$tests['defaults']['what people do to a comment is told, and only that'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x', 'comment_approved' => '0' ) );
	answer( 204 );
	Site::$moderates = true;
	wp_set_comment_status( 1, 'approve' );
	wp_set_comment_status( 1, 'spam' );
	wp_set_comment_status( 1, 'trash' );
	wp_set_comment_status( 1, 'hold' );
	$told = array_map(
		function ( $event ) {
			return $event['data'];
		},
		array_slice( events(), 1 )
	);
	$expected = array(
		array( 'id' => '1', 'status' => 'published' ),
		array( 'id' => '1', 'status' => 'rejected' ),
		array( 'id' => '1', 'status' => 'pending' ),
	);
	same( $expected, $told, 'spam and trash are one' );
	Site::$is_cron = true;
	wp_set_comment_status( 1, 'spam' );
	Site::$is_cron   = false;
	Site::$moderates = false;
	wp_set_comment_status( 1, 'approve' );
	same( 4, count( Site::$posted ), 'timers and filters are nobody' );
	Site::$moderates = true;
	wp_delete_comment( 1 );
	same( 'comment.deleted', types()[4], 'deletion' );
	same( 5, count( Site::$posted ), 'told once' );
};

$tests['defaults']['articles are sent when they are published or changed'] = function () {
	begin( 200, verdict( 'allow' ) );
	$post = Site::$posts[7];
	do_action( 'transition_post_status', 'publish', 'draft', $post );
	do_action( 'transition_post_status', 'publish', 'publish', $post );
	do_action( 'transition_post_status', 'draft', 'publish', $post );
	same( array( 'article.published' ), types(), 'published' );
	same( 'Council approves the tram & the bridge', events()[0]['data']['title'], 'record' );
	do_action( 'post_updated', 7, $post, $post );
	same( 2, count( Site::$posted ), 'changed' );
	$draft              = clone $post;
	$draft->post_status = 'draft';
	do_action( 'post_updated', 7, $post, $draft );
	do_action( 'post_updated', 7, $draft, $post );
	$page            = clone $post;
	$page->post_type = 'page';
	do_action( 'transition_post_status', 'publish', 'draft', $page );
	do_action( 'post_updated', 7, $page, $page );
	same( 2, count( Site::$posted ), 'not twice, no drafts, nothing without comments' );
	$post->post_content = str_repeat( 'ü', 300000 );
	do_action( 'post_updated', 7, $post, $post );
	same( str_repeat( 'ü', 200000 ), events()[2]['data']['body'], 'cut between characters' );
};

$tests['defaults']['decisions are applied and not echoed'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	Site::$posted = array();
	// The guard must do it, not the missing user.
	Site::$moderates = true;
	foreach ( array( 'rejected' => 'spam', 'published' => '1', 'pending' => '0' ) as $status => $expected ) {
		same( array( 'applied' => true ), callback( decision( $status, 'approve' ) ), $status );
		same( $expected, status(), $status );
	}
	same( '', get_comment_meta( 1, '_wp_trash_meta_status' ), 'nothing is left of the spam folder' );
	same( array( 'applied' => true ), callback( decision( 'pending', 'approve' ) ), 'already so' );
	same( array( 'applied' => false ), callback( decision( null, 'escalate' ) ), 'no status' );
	same( '0', status(), 'unchanged' );
	same( array(), Site::$posted, 'no echo' );
	wp_set_comment_status( 1, 'approve' );
	same( array( 'comment.status' ), types(), 'the guard ends with the change' );
};

$tests['defaults']['unknown comments and events are ignored'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	$ignored = array( 'ignored' => true );
	foreach ( array( '99', '1x', '', 'abc' ) as $id ) {
		same( $ignored, callback( decision( 'rejected', 'reject', 'd', 'comment.decided', $id ) ), "id $id" );
	}
	same( $ignored, callback( decision( 'rejected', 'reject', 'd', 'comment.exploded' ) ), 'type' );
	same( $ignored, callback( array( 'type' => 'comment.decided' ) ), 'no data' );
	same( $ignored, callback( array() ), 'empty' );
	wp_insert_comment( array( 'comment_ID' => '2', 'comment_type' => 'pingback' ) );
	same( $ignored, callback( decision( 'rejected', 'reject', 'd', 'comment.decided', '2' ) ), 'pingback' );
	same( '1', status(), 'unchanged' );
};

$tests['defaults']['forged, stale and unsigned callbacks are refused'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	$event   = decision( 'rejected', 'reject' );
	$body    = json_encode( $event );
	$refused = array(
		'another secret'      => array( 'id' => 'm', 'signature' => Claque_Plugin::sign( CLAQUE_SECRET, 'm', (string) time(), $body ) ),
		'another body'        => array( 'body' => str_replace( 'reject', 'Reject', $body ) ),
		'another id'          => array( 'id' => 'm', 'signature' => Claque_Plugin::sign( CLAQUE_CALLBACK_SECRET, 'n', (string) time(), $body ) ),
		'no signature'        => array( 'signature' => '' ),
		'no version'          => array( 'id' => 'm', 'signature' => substr( Claque_Plugin::sign( CLAQUE_CALLBACK_SECRET, 'm', (string) time(), $body ), 3 ) ),
		'too old'             => array( 'time' => time() - 302 ),
		'too far ahead'       => array( 'time' => time() + 302 ),
		'no time'             => array( 'time' => '' ),
		'no number of a time' => array( 'time' => '1e9' ),
		'no id'               => array( 'id' => '' ),
	);
	foreach ( $refused as $what => $changed ) {
		$answer = callback( $event, $changed );
		same( true, is_wp_error( $answer ), $what );
		same( array( 'status' => 401 ), $answer->data, $what );
		same( '1', status(), $what );
	}
	same( array( 'applied' => true ), callback( $event, array( 'time' => time() - 290 ) ), 'within the tolerance' );
};

$tests['defaults']['a replayed callback has no effect'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	same( array( 'applied' => true ), callback( decision( 'rejected', 'reject' ), array( 'id' => 'm1' ) ), 'first' );
	wp_set_comment_status( 1, 'approve' );
	same( array( 'repeated' => true ), callback( decision( 'rejected', 'reject' ), array( 'id' => 'm1' ) ), 'again' );
	same( '1', status(), 'unchanged' );
};

$tests['defaults']['undo brings back what was, also what the service does not know'] = function () {
	begin( 200, verdict( 'hold' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	same( '0', status(), 'held here: the service knows it as published' );
	callback( decision( 'published', 'approve', 'd1' ) );
	callback( decision( 'rejected', 'reject', 'd2' ) );
	same( 'spam', status(), 'rejected' );
	callback( decision( 'published', 'reject', 'd2', 'comment.undone' ) );
	same( '1', status(), 'the later decision undone' );
	callback( decision( 'published', 'approve', 'd1', 'comment.undone' ) );
	same( '0', status(), 'the first one undone' );
	same( array(), get_comment_meta( 1, 'claque_before' ), 'nothing is left to undo' );
	callback( decision( 'rejected', 'approve', 'd0', 'comment.undone' ) );
	same( 'spam', status(), 'a decision that was not seen here: what the service says' );
	callback( decision( 'published', 'escalate', 'd3', 'comment.undone' ) );
	same( 'spam', status(), 'an escalation had changed nothing' );
};

$tests['defaults']['a decision that cannot be applied is to be sent again'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	Site::$fails = true;
	$answer      = callback( decision( 'rejected', 'reject' ), array( 'id' => 'm1' ) );
	Site::$fails = false;
	same( array( 'status' => 503 ), $answer->data, 'the database failed' );
	same( array( 'applied' => true ), callback( decision( 'rejected', 'reject' ), array( 'id' => 'm1' ) ), 'again' );
	same( 'spam', status(), 'rejected' );
};

$tests['hold']['`review` waits too, after the configured time at the most'] = function () {
	begin( 200, verdict( 'review' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	same( '0', status(), 'pending' );
	same( 1.0, Site::$posted[0][1]['timeout'], 'timeout' );
	same( array( 'comment.created' ), types(), 'no echo' );
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	same( '1', status(), '`allow` is published' );
	begin( 0 );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	same( '1', status(), 'no answer is published' );
};

$tests['hold']['rejected comments go to the trash'] = function () {
	begin( 200, verdict( 'allow' ) );
	wp_insert_comment( array( 'comment_content' => 'x' ) );
	callback( decision( 'rejected', 'reject' ) );
	same( 'trash', status(), 'trash' );
	callback( decision( 'published', 'reject', 'd1', 'comment.undone' ) );
	same( '1', status(), 'undone' );
};

/** A request to the service over PHP's streams. */
function http( $url, $arguments ) {
	$lines = array();
	foreach ( $arguments['headers'] as $name => $value ) {
		$lines[] = "$name: $value";
	}
	$options = array(
		'method'        => 'POST',
		'header'        => $lines,
		'content'       => $arguments['body'],
		'timeout'       => $arguments['timeout'],
		'ignore_errors' => true,
	);
	try {
		$body = file_get_contents( $url, false, stream_context_create( array( 'http' => $options ) ) );
	} catch ( ErrorException $error ) {
		return new WP_Error( 'http_request_failed', $error->getMessage() );
	}
	return array( 'response' => array( 'code' => (int) explode( ' ', $http_response_header[0] )[1] ), 'body' => $body );
}

/** Takes one request from a listening socket and answers it as WordPress would. */
function take_callback( $listener ) {
	$connection = stream_socket_accept( $listener, 20 );
	$headers    = array();
	while ( '' !== ( $line = trim( fgets( $connection ) ) ) ) {
		$parts = explode( ': ', $line, 2 );
		$headers[ strtolower( $parts[0] ) ] = $parts[1] ?? '';
	}
	$body = '';
	while ( strlen( $body ) < (int) $headers['content-length'] ) {
		$body .= fread( $connection, (int) $headers['content-length'] - strlen( $body ) );
	}
	$answer = route( new Request( $headers, $body ) );
	$status = is_wp_error( $answer ) ? $answer->data['status'] : 200;
	fwrite( $connection, "HTTP/1.1 $status Answered\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}" );
	fclose( $connection );
	return $answer;
}

$tests['live']['a comment, a decision and its undo make the round trip through a real service'] = function () {
	begin( 200 );
	Site::$answer = 'http';
	$listener     = stream_socket_server( 'tcp://127.0.0.1:0' );
	$address      = 'http://' . stream_socket_get_name( $listener, false ) . '/wp-json/claque/v1/decisions';
	$command      = array( getenv( 'CLAQUE_BIN' ), 'callbacks', 'add', $address, '--site', 'gazette', '--allow-private', '--secret-stdin' );
	$process      = proc_open( $command, array( array( 'pipe', 'r' ), array( 'file', '/dev/null', 'w' ) ), $pipes );
	fwrite( $pipes[0], CLAQUE_CALLBACK_SECRET );
	fclose( $pipes[0] );
	same( 0, proc_close( $process ), 'callbacks add' );
	$api = function ( $path, $body ) {
		$headers = array( 'Content-Type' => 'application/json', 'Authorization' => 'Bearer ' . getenv( 'CLAQUE_KEY' ) );
		$answer  = http( CLAQUE_URL . $path, array( 'headers' => $headers, 'body' => json_encode( $body ), 'timeout' => 5 ) );
		return json_decode( $answer['body'], true );
	};

	wp_insert_comment(
		array(
			'comment_ID'       => '1',
			'comment_post_ID'  => '7',
			'comment_author'   => 'David Harrison',
			'comment_date_gmt' => '2026-11-21 09:10:11',
			'user_id'          => '3',
			'comment_content'  => 'The article raises important questions about the tram, and a nuanced understanding of this complex issue is crucial for all residents.',
		)
	);
	same( 'review', get_comment_meta( 1, 'claque_verdict' ), 'verdict' );
	same( CLAQUE_URL . '/comments/gazette/1', get_comment_meta( 1, 'claque_card' ), 'card' );
	wp_insert_comment( array( 'comment_ID' => '2', 'comment_post_ID' => '7', 'comment_author' => 'Anna', 'comment_content' => 'My bus was late again so I walked.' ) );
	same( 'allow', get_comment_meta( 2, 'claque_verdict' ), 'verdict of another' );
	same( array(), Site::$planned, 'nothing failed' );

	$decision = $api( '/v1/decisions', array( 'comment' => array( 'site' => 'gazette', 'id' => '1' ), 'action' => 'reject' ) );
	same( array( 'applied' => true ), take_callback( $listener ), 'decision' );
	same( 'spam', status(), 'rejected' );
	$api( '/v1/decisions/' . $decision['id'] . '/undo', array() );
	same( array( 'applied' => true ), take_callback( $listener ), 'undo' );
	same( '1', status(), 'published again' );

	do_action( 'post_updated', 7, Site::$posts[7], Site::$posts[7] );
	Site::$moderates = true;
	wp_set_comment_status( 1, 'spam' );
	wp_delete_comment( 2 );
	same( array(), Site::$planned, 'article, status and deletion were taken' );
};

if ( ! isset( $tests[ $scenario ] ) ) {
	echo "no such scenario: $scenario\n";
	exit( 2 );
}
foreach ( $tests[ $scenario ] as $name => $test ) {
	try {
		$test();
	} catch ( Throwable $error ) {
		echo "FAILED: $name\n$error\n";
		exit( 1 );
	}
	echo "ok: $name\n";
}
