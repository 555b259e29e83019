//! Answers of AWS, written by hand after its API reference and given by a server of one's own: the local AWS of the other tests has no failures.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::net::TcpListener;

use jiff::Timestamp;
use server::{Answer, Server};

use super::*;

#[path = "../../tests/support/server.rs"]
mod server;

fn aws(endpoint: &str) -> Aws {
    Aws::connect(&AwsSettings {
        region: "us-east-1".to_owned(),
        login: Login::Keys { id: "x".to_owned(), secret: "y".to_owned(), token: None },
        endpoint: Some(endpoint.to_owned()),
        s3_endpoint: None,
    })
    .unwrap()
}

const EVENTS: &[Answer<'_>] = &[
    ("NextToken=more", 200, include_str!("../../tests/fixtures/aws/stack-events-2.xml")),
    ("Action=DescribeStackEvents", 200, include_str!("../../tests/fixtures/aws/stack-events-1.xml")),
];

#[test]
fn events_are_read_over_pages_from_a_time_on_oldest_first() {
    let server = Server::start(EVENTS);
    let since: Timestamp = "2026-11-27T03:11:00Z".parse().unwrap();
    let events = aws(&server.address).events("orders-prod", since).unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.resource.as_str(), event.status.as_str())).collect();
    assert_eq!(
        told,
        [
            ("orders-prod", "UPDATE_IN_PROGRESS"),
            ("HelloLambdaVersionabc", "CREATE_FAILED"),
            ("CartTable", "CREATE_FAILED"),
            ("orders-prod", "UPDATE_ROLLBACK_IN_PROGRESS"),
            ("orders-prod", "UPDATE_ROLLBACK_COMPLETE"),
        ]
    );
    assert!(events[1].reason.as_ref().unwrap().starts_with("A version for this Lambda function exists"));
    // What is older is not asked for.
    assert_eq!(server.requests().len(), 2);
}

const EXPIRED: &[Answer<'_>] = &[(
    "Action=",
    403,
    "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
     <Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
)];

#[test]
fn expired_credentials_are_told_from_refused_ones() {
    assert_eq!(aws(&Server::start(EXPIRED).address).account(), Err(AwsError::Expired { profile: None }));
}

const ABSENT: &[Answer<'_>] = &[
    (
        "Action=DescribeStacks",
        400,
        "<ErrorResponse><Error><Code>ValidationError</Code>\
         <Message>Stack with id orders-prod does not exist</Message></Error></ErrorResponse>",
    ),
    ("HEAD /bucket/there", 200, ""),
    ("HEAD /bucket/gone", 404, ""),
    ("HEAD /bucket/secret", 403, ""),
];

#[test]
fn what_is_not_there_is_an_answer_and_no_error() {
    let aws = aws(&Server::start(ABSENT).address);
    assert_eq!(aws.stack("orders-prod"), Ok(None));
    let of = |key: &str| ("bucket".to_owned(), key.to_owned());
    assert_eq!(aws.have_objects(&[of("gone"), of("there"), of("gone")]), Ok(vec![false, true, false]));
    let refused = aws.have_objects(&[of("secret")]).unwrap_err();
    assert!(matches!(refused, AwsError::Forbidden { .. }), "{refused:?}");
}

#[test]
fn a_network_that_is_not_there_is_an_error_of_its_own() {
    // Nothing listens where something did a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = aws(&format!("http://{free}")).account().unwrap_err();
    assert!(matches!(error, AwsError::Unreachable(_)), "{error:?}");
}
