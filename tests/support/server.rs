//! A server that gives to each request the answer whose words it holds, and remembers the requests: AWS, as far as a test needs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Words of a request (its line and body), the status and the body of the answer.
pub(crate) type Answer<'a> = (&'a str, u16, &'a str);

/// It ends with the tests' process.
pub(crate) struct Server {
    /// `http://…`, without a path.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts it; of several answers that fit, it gives the first.
    pub(crate) fn start(answers: &[Answer<'_>]) -> Self {
        let owned = |(words, status, body): &Answer<'_>| ((*words).to_owned(), *status, (*body).to_owned());
        let answers: Arc<Vec<_>> = Arc::new(answers.iter().map(owned).collect());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
                thread::spawn(move || serve(connection.unwrap(), &answers, &kept));
            }
        });
        Self { address, requests }
    }

    /// The requests until now: the line of each, and its body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(connection: TcpStream, answers: &[(String, u16, String)], kept: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut writer = connection;
    loop {
        let mut head = String::new();
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let request = head + &String::from_utf8(body).unwrap();
        let answer = answers.iter().find(|(words, ..)| request.contains(words));
        let (status, text) =
            answer.map_or((400, "<Response/>"), |(_, status, text)| (*status, text.as_str()));
        kept.lock().unwrap().push(request);
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(text.as_bytes())).unwrap();
    }
}
