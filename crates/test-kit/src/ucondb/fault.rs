//! Orders to misbehave.

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 503 as the genuine server says it: a status line, two bare line feeds, nothing else.
    Unavailable,
    /// A status with this text, before anything is done.
    Status(u16, String),
    /// 302 to this address, before anything is done.
    Redirect(String),
    /// The connection is cut when so many bytes of the request's body have come; nothing is stored.
    CutRequestAfter(usize),
    /// The request is carried out, and the connection cut before a word of the answer.
    LoseAnswer,
    /// The answer stops after so many bytes of its body: an orderly end behind Webpie, a visible break behind Apache.
    CutAnswerAfter(usize),
    /// One byte in the middle of the answer's body is another.
    FlipByte,
    /// The put arrives as an empty body, as an upload in chunks does.
    LoseBody,
    /// The answer never comes.
    Stall,
    /// The answer stops after its head and so many bytes of its body, with the connection open.
    StallAfter(usize),
}

/// The orders that are open.
#[derive(Debug, Default)]
pub(crate) struct Script {
    orders: Vec<Order>,
}

#[derive(Debug)]
struct Order {
    method: String,
    path: String,
    fault: Fault,
    lasting: bool,
}

impl Script {
    pub(crate) fn push(&mut self, method: &str, path: &str, fault: Fault) {
        self.orders.push(Order { method: method.to_owned(), path: path.to_owned(), fault, lasting: false });
    }

    pub(crate) fn push_lasting(&mut self, method: &str, path: &str, fault: Fault) {
        self.orders.push(Order { method: method.to_owned(), path: path.to_owned(), fault, lasting: true });
    }

    /// The oldest order for this request; used up unless it is a lasting one.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let matches = |order: &Order| order.method == method && path.starts_with(&order.path);
        let at = self.orders.iter().position(matches)?;
        if self.orders[at].lasting {
            return Some(self.orders[at].fault.clone());
        }
        Some(self.orders.remove(at).fault)
    }
}
