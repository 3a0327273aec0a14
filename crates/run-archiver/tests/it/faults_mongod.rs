//! A way to a MongoDB server that breaks off, or answers in its place, at a certain request.
//!
//! Reads the messages of the protocol (`OP_MSG`), uncompressed as they are by default. Whoever looks directly at the
//! server sees what came of it.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    faults::{Ends, On, Row},
    faults_place::Place,
};

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// It never arrives, and from then on the server is gone.
    GoneBefore,
    /// It is carried out, no word of the answer arrives, and from then on the server is gone.
    GoneAfter,
    /// It is carried out, and its answer is lost with the connection; the server stays.
    LoseAnswer,
    /// The server refuses it, with a code and a text.
    Refuse(i32, &'static str),
}

/// A request: what its message contains.
type Needles = &'static [&'static str];

/// The way to one server.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    order: Option<(Needles, Act)>,
    /// How often the order was carried out.
    count: u32,
    is_gone: bool,
    clients: Vec<TcpStream>,
}

impl Relay {
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { server, state: Mutex::default() });
        let of_thread = Arc::clone(&shared);
        // It ends with the process of the tests, and costs nothing until then.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&of_thread);
                // An error is a connection that broke, on purpose or not.
                thread::spawn(move || drop(shared.relay(client)));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets this happen to every request whose message contains all of `needles`; a loss of the answer only once.
    pub(crate) fn on(&self, needles: Needles, act: Act) {
        self.shared.state.lock().unwrap().order = Some((needles, act));
    }

    /// All is well again. What was ordered must have happened.
    pub(crate) fn heal(&self) {
        let mut state = self.shared.state.lock().unwrap();
        assert!(state.count > 0, "there was no such request: {:?}", state.order);
        *state = State { clients: std::mem::take(&mut state.clients), ..State::default() };
    }
}

impl Shared {
    fn relay(&self, mut client: TcpStream) -> io::Result<()> {
        {
            let mut state = self.state.lock().unwrap();
            if state.is_gone {
                return Ok(());
            }
            state.clients.push(client.try_clone()?);
        }
        client.set_nodelay(true)?;
        let mut server = TcpStream::connect(self.server)?;
        server.set_nodelay(true)?;
        let outcome = self.converse(&mut client, &mut server);
        // The clone that is kept would hold the connection open.
        drop(client.shutdown(Shutdown::Both));
        outcome
    }

    fn converse(&self, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
        loop {
            let request = read_message(client)?;
            let act = self.act_on(&request);
            if let Some(Act::Refuse(code, text)) = act {
                client.write_all(&refusal(&request, code, text))?;
                continue;
            }
            if !matches!(act, Some(Act::GoneBefore)) {
                server.write_all(&request)?;
                loop {
                    let answer = read_message(server)?;
                    if act.is_some() {
                        break;
                    }
                    client.write_all(&answer)?;
                    // `moreToCome`: the server goes on by itself.
                    if answer.get(16).is_none_or(|flags| flags & 2 == 0) {
                        break;
                    }
                }
            }
            if let Some(act) = act {
                if !matches!(act, Act::LoseAnswer) {
                    self.leave();
                }
                return Ok(());
            }
        }
    }

    fn act_on(&self, request: &[u8]) -> Option<Act> {
        let mut state = self.state.lock().unwrap();
        let (needles, act) = state.order?;
        let contains = |needle: &&str| request.windows(needle.len()).any(|part| part == needle.as_bytes());
        if !needles.iter().all(contains) || matches!(act, Act::LoseAnswer) && state.count > 0 {
            return None;
        }
        state.count += 1;
        Some(act)
    }

    /// Breaks all connections, and refuses new ones.
    fn leave(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_gone = true;
        for client in state.clients.drain(..) {
            drop(client.shutdown(Shutdown::Both));
        }
    }
}

/// A whole message: its length comes first, and counts itself.
fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::try_from(u32::from_le_bytes(length)).unwrap()];
    message[..4].copy_from_slice(&length);
    stream.read_exact(&mut message[4..])?;
    Ok(message)
}

/// What a server answers that refuses a request.
fn refusal(request: &[u8], code: i32, text: &str) -> Vec<u8> {
    const OP_MSG: i32 = 2013;
    let mut members = b"\x01ok\0\0\0\0\0\0\0\0\0\x10code\0".to_vec();
    members.extend(code.to_le_bytes());
    members.extend(b"\x02errmsg\0");
    members.extend(length(text.len() + 1));
    members.extend(text.as_bytes());
    // The ends of the text and of the document.
    members.extend([0, 0]);
    let mut message = length(16 + 4 + 1 + 4 + members.len()).to_vec();
    message.extend(1_i32.to_le_bytes());
    message.extend(&request[4..8]);
    message.extend(OP_MSG.to_le_bytes());
    // No flags; one section, which is the document.
    message.extend([0; 5]);
    message.extend(length(4 + members.len()));
    message.extend(members);
    message
}

fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap().to_le_bytes()
}

/// The document of a run that comes last, and those before it.
const SCHEMA: Needles = &["insert\0", "SystemLayout\0"];
const DOCUMENTS: Needles = &["insert\0", "RunHistory\0"];
const INTENTS: Needles = &["insert\0", "WaymarkIntents\0"];

/// The import breaks off, and the migration cannot begin.
const fn gone(name: &'static str, spoil: fn(&mut Place)) -> Row {
    let says: &[&str] = &["could not write `mongodb://127.0.0.1:"];
    Row {
        name,
        on: On::Mongod,
        spoil,
        mend: come_back,
        says,
        ends: Ends::AllImports { can_migrate: Some(false) },
        passes: false,
    }
}

/// The server goes, and is looked for but a second.
fn go(place: &Place, needles: Needles, act: Act) {
    place.relay().on(needles, act);
    place.world.configure("TimeoutMS=10000", "TimeoutMS=1000");
}

fn come_back(place: &mut Place) {
    place.relay().heal();
    place.world.configure("TimeoutMS=1000", "TimeoutMS=10000");
}

/// The import breaks off, and the server is still there.
const fn refused(name: &'static str, spoil: fn(&mut Place), says: &'static [&'static str]) -> Row {
    Row { name, on: On::Mongod, spoil, mend, says, ends: Ends::AllImports { can_migrate: Some(true) }, passes: false }
}

/// An answer is lost: the import breaks off, unless it may try again.
const fn lost(name: &'static str, spoil: fn(&mut Place)) -> Row {
    Row { passes: true, ..refused(name, spoil, &["could not write `mongodb://127.0.0.1:"]) }
}

fn mend(place: &mut Place) {
    place.relay().heal();
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "no mongod",
        on: On::Mongod,
        spoil: |place| {
            let (server, nobody) = place.mongod_addresses();
            place.world.configure(&server, &nobody);
            place.world.configure("TimeoutMS=10000", "TimeoutMS=200");
        },
        mend: |place| {
            let (server, nobody) = place.mongod_addresses();
            place.world.configure(&nobody, &server);
            place.world.configure("TimeoutMS=200", "TimeoutMS=10000");
        },
        says: &["could not read `mongodb://127.0.0.1:", "No available servers. I/O error: Connection refused"],
        ends: Ends::NoImport,
        passes: false,
    },
    Row {
        name: "a wrong password for mongod",
        on: On::Mongod,
        spoil: |place| place.world.configure("mongodb://", "mongodb://daq:hunter2@"),
        mend: |place| place.world.configure("daq:hunter2@", ""),
        says: &["could not read `mongodb://127.0.0.1:", "uthentication failed", "`artdaq_db.database_uri`"],
        ends: Ends::NoImport,
        passes: false,
    },
    gone("mongod goes before the intents", |place| go(place, INTENTS, Act::GoneBefore)),
    gone("mongod goes after the intents", |place| go(place, INTENTS, Act::GoneAfter)),
    gone("mongod goes after the documents", |place| go(place, DOCUMENTS, Act::GoneAfter)),
    gone("mongod goes after the schemas", |place| go(place, SCHEMA, Act::GoneAfter)),
    lost("the answer to the intents is lost", |place| place.relay().on(INTENTS, Act::LoseAnswer)),
    lost("the answer to the documents is lost", |place| place.relay().on(DOCUMENTS, Act::LoseAnswer)),
    lost("the answer to the schemas is lost", |place| place.relay().on(SCHEMA, Act::LoseAnswer)),
    Row {
        name: "a run cannot be read back from mongod",
        on: On::Mongod,
        spoil: |place| {
            let order = &["find\0", "RunHistory\0", "102/demo\0"];
            place.relay().on(order, Act::Refuse(50, "operation exceeded time limit"));
        },
        mend,
        says: &["could not read `mongodb://127.0.0.1:", "operation exceeded time limit"],
        ends: Ends::OneInBoth,
        passes: false,
    },
    refused(
        "mongod is no primary",
        |place| place.relay().on(INTENTS, Act::Refuse(10107, "not primary")),
        &["could not write `mongodb://127.0.0.1:", "not primary"],
    ),
    refused(
        "the disk of mongod is full",
        |place| place.relay().on(DOCUMENTS, Act::Refuse(14031, "No space left on device")),
        &["could not write `mongodb://127.0.0.1:", "No space left on device"],
    ),
    refused(
        "mongod forbids writing",
        |place| place.relay().on(DOCUMENTS, Act::Refuse(13, "not authorized on db to execute command")),
        &["could not write `mongodb://127.0.0.1:", "not authorized"],
    ),
];
