//! What the client knows about the server's authentication, kept from one put to the next.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _};

use secrecy::{ExposeSecret as _, SecretString};

use super::digest::{Challenge, Subject};

/// The state of the conversation about credentials.
#[derive(Debug)]
pub(crate) enum Session {
    /// Nothing was asked yet.
    Unknown,
    /// The server takes puts without credentials.
    Open,
    /// The server has sent a challenge, which was answered `uses` times.
    Challenged { challenge: Challenge, uses: u32 },
}

/// The header for one request, and which nonce it answers.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The value of `Authorization`; a secret of sorts: the genuine server takes it again and again.
    pub(crate) header: Option<SecretString>,
    nonce: Option<String>,
    /// Whether nobody has used the nonce before.
    pub(crate) first_use: bool,
}

impl Session {
    /// Answers the challenge at hand for one more request.
    pub(crate) fn grant(&mut self, user: &str, password: &SecretString, method: &str, uri: &str) -> Grant {
        let Self::Challenged { challenge, uses } = self else {
            return Grant { header: None, nonce: None, first_use: false };
        };
        *uses = uses.saturating_add(1);
        let client_nonce = client_nonce(*uses);
        let subject = Subject { method, uri, uses: *uses, client_nonce: &client_nonce };
        let header = challenge.respond(user, password.expose_secret(), subject);
        Grant { header: Some(header.into()), nonce: Some(challenge.nonce.clone()), first_use: *uses == 1 }
    }

    /// Takes a new challenge over, unless another request has replaced the one that `refused` answered.
    pub(crate) fn renew(&mut self, refused: &Grant, challenge: Challenge) {
        let replaced = match self {
            Self::Challenged { challenge, .. } => refused.nonce.as_ref().is_some_and(|nonce| *nonce != challenge.nonce),
            Self::Unknown | Self::Open => false,
        };
        if !replaced {
            *self = Self::Challenged { challenge, uses: 0 };
        }
    }
}

/// 128 bits that the server cannot foresee: the keys of a `RandomState` come from the operating system.
fn client_nonce(uses: u32) -> String {
    format!("{:016x}{:016x}", RandomState::new().hash_one(uses), RandomState::new().hash_one(uses))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn challenge(nonce: &str) -> Challenge {
        let header = format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", stale=true");
        Challenge::choose([header.as_str()].into_iter()).unwrap().unwrap()
    }

    #[test]
    fn two_workers_that_are_refused_together_do_not_count_the_new_nonce_twice() {
        let mut session = Session::Challenged { challenge: challenge("old"), uses: 0 };
        let grant = |session: &mut Session| session.grant("writer", &"secret".to_owned().into(), "POST", "/");
        let (first, second) = (grant(&mut session), grant(&mut session));
        let count = |grant: &Grant| {
            let header = grant.header.as_ref().unwrap().expose_secret();
            (header.contains("nonce=\"new\""), header.contains("nc=00000001"), grant.first_use)
        };
        session.renew(&first, challenge("new"));
        assert_eq!(count(&grant(&mut session)), (true, true, true));
        session.renew(&second, challenge("new"));
        assert_eq!(count(&grant(&mut session)), (true, false, false), "the second use of the new nonce");
    }

    #[test]
    fn an_open_server_gets_no_header_and_may_close_later() {
        let mut session = Session::Open;
        let grant = session.grant("writer", &"secret".to_owned().into(), "POST", "/");
        assert!(grant.header.is_none());
        session.renew(&grant, challenge("new"));
        assert!(matches!(session, Session::Challenged { uses: 0, .. }));
    }
}
