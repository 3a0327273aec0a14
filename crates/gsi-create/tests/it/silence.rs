//! A service behind a URL that takes a request and never answers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use gsi_state::GsiStatus;
use serde_json::json;
use test_kit::{Running, TestEnv};

use crate::support::*;

/// Serves descriptions of an empty table, and says which operations it was asked for; those in
/// `silent` are never answered.
fn service(silent: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = channel();
    thread::spawn(move || {
        let mut kept_open = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let operation = read_request(&connection);
            if operation != silent {
                answer(&mut connection);
            }
            if sender.send(operation).is_err() {
                return; // the test is over
            }
            kept_open.push(connection);
        }
    });
    (url, asked)
}

/// Reads one request; its operation.
fn read_request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some((name, value)) if name.eq_ignore_ascii_case("x-amz-target") => {
                value.trim_start_matches("DynamoDB_20120810.").clone_into(&mut operation);
            }
            None if line.trim().is_empty() => break,
            // Other headers, and the request line.
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    operation
}

fn answer(connection: &mut TcpStream) {
    let body = json!({"Table": {
        "TableName": "crew",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    }})
    .to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close";
    write!(connection, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
}

fn start(env: &TestEnv, url: &str) -> Running {
    let args = ["gsis.json", "--table", "crew", "--endpoint", url, "--region", "local", "--state-dir", "s"];
    let mut command = env.plain_command(args);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    Running::start(command)
}

#[test]
fn a_look_that_is_not_answered_is_broken_off_by_the_first_signal() {
    let env = env();
    let (url, asked) = service("DescribeTable");
    let running = start(&env, &url);
    assert_eq!(asked.recv().unwrap(), "DescribeTable");
    running.interrupt();
    let ended = running.wait();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::Pending);
}

#[test]
fn a_request_that_is_not_answered_is_left_by_the_third_signal() {
    let env = env();
    let (url, asked) = service("UpdateTable");
    let mut running = start(&env, &url);
    assert_eq!(asked.recv().unwrap(), "DescribeTable");
    assert_eq!(asked.recv().unwrap(), "UpdateTable");
    running.terminate();
    running.wait_for_line("stopping: nothing new is asked for");
    // Signals of one kind that come close together may arrive as one: two kinds do not.
    running.interrupt();
    running.terminate();
    let ended = running.wait();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert_eq!(ended.stdout, "", "it ends at once");
    // The intent is on disk: the next start will look.
    assert_eq!(statuses(&env)["crew.by-date"], GsiStatus::InProgress);
}

#[test]
fn against_a_service_it_makes_no_tables() {
    let env = env();
    let (url, asked) = service("UpdateTable");
    let running = start(&env, &url);
    let operations: Vec<String> = asked.iter().take(2).collect();
    assert_eq!(operations, ["DescribeTable", "UpdateTable"]);
    drop(running);
}
