//! Assertions of the cases, and their failures.

use std::fmt::{self, Debug, Display, Formatter};

use tonic::{Code, Status, Streaming};

/// The reason why a case failed.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
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

/// Expects two values to be equal.
#[expect(clippy::needless_pass_by_value, reason = "callers build most values for this call")]
pub(crate) fn same<T: PartialEq<U> + Debug, U: Debug>(got: T, wanted: U) -> Result<(), Failure> {
    if got == wanted {
        return Ok(());
    }
    // Enough to recognise a message of several MiB.
    Err(Failure(format!("{:.200} instead of {:.200}", format!("{got:?}"), format!("{wanted:?}"))))
}

/// Expects a call to fail with a code, and returns its status.
pub(crate) fn fails<T>(result: Result<T, Status>, code: Code) -> Result<Status, Failure> {
    match result {
        Ok(_) => Err(Failure(format!("Ok instead of {code:?}"))),
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(status.into()),
    }
}

/// Expects a value to be present.
pub(crate) fn some<T>(option: Option<T>, name: &str) -> Result<T, Failure> {
    option.ok_or_else(|| Failure(format!("no {name}")))
}

/// Expects another message.
pub(crate) async fn next<T>(messages: &mut Streaming<T>) -> Result<T, Failure> {
    some(messages.message().await?, "message")
}
