//! What cases want, and what they say if it is not so.

use std::fmt::{self, Debug, Display, Formatter};

use tonic::{Code, Status, Streaming};

/// How a case has failed.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self(format!("{:?}: {}", status.code(), status.message()))
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Wants two values to be the same.
#[expect(clippy::needless_pass_by_value, reason = "most values are made for this")]
pub(crate) fn same<T: PartialEq<U> + Debug, U: Debug>(got: T, wanted: U) -> Result<(), Failure> {
    if got == wanted {
        return Ok(());
    }
    // Enough to recognise a message of some MiB.
    Err(Failure(format!("{:.200} instead of {:.200}", format!("{got:?}"), format!("{wanted:?}"))))
}

/// Wants a call to fail, and gives its status.
pub(crate) fn fails<T>(result: Result<T, Status>, code: Code) -> Result<Status, Failure> {
    match result {
        Ok(_) => Err(Failure(format!("Ok instead of {code:?}"))),
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(status.into()),
    }
}

/// Wants there to be something.
pub(crate) fn some<T>(option: Option<T>, what: &str) -> Result<T, Failure> {
    option.ok_or_else(|| Failure(format!("no {what}")))
}

/// Wants another message.
pub(crate) async fn next<T>(messages: &mut Streaming<T>) -> Result<T, Failure> {
    some(messages.message().await?, "message")
}
