use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::ca::{Ca, CaName};
use crate::error::Error;
use crate::fingerprint::Digest;
use crate::issue;
use crate::key::{Key, KeyKind};
use crate::leaf::Leaf;
use crate::name::CertName;
use crate::pem_text;
use crate::request::{CertRequest, Signer};
use crate::store::Store;

/// How long a clock stands still, and so how long certificates stay the same.
const PERIOD_DAYS: i64 = 30;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Counts changes to what `issue` makes of the same request, so that files of older versions of this
/// crate are not taken for current ones.
const FORMAT: u32 = 1;

/// The test PKI: makes each key and certificate when it is first asked for.
///
/// Keys and certificates are shared by all threads, and by all processes that open the same
/// directory.
pub struct Pki {
    store: Store,
    clock: OffsetDateTime,
    cas: Slots<CaName, Ca>,
    leaves: Slots<String, Leaf>,
}

impl Pki {
    /// Opens the PKI kept in `directory`, which is created as needed.
    ///
    /// The clock is `now`, rounded down to 30 days: whoever opens the directory within that
    /// period finds the same certificates. Keys stay the same for good.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the directory cannot be created or read.
    pub fn open(directory: &Path, now: SystemTime) -> Result<Self, Error> {
        let clock = clock(now);
        let oldest = days(clock) - 4 * PERIOD_DAYS;
        let store = Store::open(directory, |folder| {
            folder
                .strip_prefix("certs-")
                .and_then(|day| day.parse::<i64>().ok())
                .is_some_and(|day| day < oldest)
        })?;
        Ok(Self::new(store, clock))
    }

    /// A PKI of its own in a temporary directory, gone with the value.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the directory cannot be created.
    pub fn generate(now: SystemTime) -> Result<Self, Error> {
        Ok(Self::new(Store::temporary()?, clock(now)))
    }

    fn new(store: Store, clock: OffsetDateTime) -> Self {
        Self {
            store,
            clock,
            cas: Slots::default(),
            leaves: Slots::default(),
        }
    }

    /// The time that validity is measured from: at most 30 days before the `now` of the caller.
    pub fn clock(&self) -> SystemTime {
        self.clock.into()
    }

    /// The certificate with a name of the registry.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming the nearest known name, otherwise as [`Pki::get`].
    pub fn leaf(&self, name: &str) -> Result<Arc<Leaf>, Error> {
        self.get(CertName::parse(name)?)
    }

    /// The certificate with a name of the registry.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Corrupt`] if the directory does not play along.
    pub fn get(&self, name: CertName) -> Result<Arc<Leaf>, Error> {
        self.leaves.get(name.as_str().to_owned(), || {
            self.find_or_issue(name.request(), name.as_str())
        })
    }

    /// The certificate for a request of the caller's own.
    ///
    /// Requests of the same name and kind of key share the key.
    ///
    /// # Errors
    ///
    /// [`Error::RequestName`] if the name cannot be used, otherwise as [`Pki::get`].
    pub fn issue(&self, request: &CertRequest) -> Result<Arc<Leaf>, Error> {
        let name = &request.name;
        let usable = name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
        if !usable || name.is_empty() || CertName::parse(name).is_ok() {
            return Err(Error::RequestName(name.clone()));
        }
        self.leaves.get(format!("{request:?}"), || {
            self.find_or_issue(request.clone(), &format!("own-{name}"))
        })
    }

    /// Makes or loads certificates ahead of their use, on as many threads as there are processors:
    /// RSA keys take time.
    ///
    /// # Errors
    ///
    /// The first error of [`Pki::get`].
    pub fn prepare(&self, names: impl IntoIterator<Item = CertName>) -> Result<(), Error> {
        let mut names: Vec<_> = names.into_iter().collect();
        // The slow ones first, so that they do not start when the others have finished.
        names.sort_by_key(|name| !name.key_kind().is_rsa());
        let queue = Mutex::new(names.into_iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(name) = next() {
                            self.get(name)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// A certificate authority.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] naming the nearest known name, otherwise as [`Pki::get`].
    pub fn ca(&self, name: &str) -> Result<Arc<Ca>, Error> {
        self.authority(CaName::parse(name)?)
    }

    /// The certificate of an authority, PEM: the contents of a `smtp_tls_CAfile`.
    ///
    /// # Errors
    ///
    /// As [`Pki::ca`].
    pub fn ca_pem(&self, name: &str) -> Result<String, Error> {
        Ok(self.ca(name)?.pem())
    }

    /// A certificate authority.
    ///
    /// # Errors
    ///
    /// As [`Pki::get`].
    pub fn authority(&self, name: CaName) -> Result<Arc<Ca>, Error> {
        self.cas.get(name, || {
            let issuer = name.issuer().map(|name| self.authority(name)).transpose()?;
            let file = format!("ca-{name}");
            let key = self.key(&file, KeyKind::EcdsaP256)?;
            let certificate = self.certificate(&file, "", &key, issuer.as_deref(), || {
                issue::ca(name, &key, issuer.as_deref(), self.clock)
            })?;
            Ok(Ca {
                name,
                key,
                certificate,
            })
        })
    }

    fn find_or_issue(&self, request: CertRequest, file: &str) -> Result<Leaf, Error> {
        let issuer = match request.signer {
            Signer::Ca(name) => Some(self.authority(name)?),
            Signer::Itself => None,
        };
        let key = self.key(file, request.key)?;
        let says = format!("{request:?}");
        let certificate = self.certificate(file, &says, &key, issuer.as_deref(), || {
            issue::leaf(&request, &key, issuer.as_deref(), self.clock)
        })?;
        let mut chain = vec![certificate];
        if let Some(issuer) = issuer.as_deref().filter(|ca| ca.name.issuer().is_some()) {
            chain.push(issuer.certificate.clone());
        }
        let issuer_common_name = match issuer {
            Some(issuer) => issuer.common_name().to_owned(),
            None => request.common_name.clone(),
        };
        Ok(Leaf {
            request,
            key,
            chain,
            issuer_common_name,
        })
    }

    fn key(&self, file: &str, kind: KeyKind) -> Result<Key, Error> {
        let file = format!("{file}.{kind}");
        let path = Path::new("keys").join(format!("{file}.pem"));
        let (pkcs8, path) = self
            .store
            .find_or_make(&path, &file, pem_text::PRIVATE_KEY, || kind.generate())?;
        Key::load(kind, pkcs8).map_err(|detail| Error::Corrupt {
            path,
            expected: kind.name(),
            detail,
        })
    }

    fn certificate(
        &self,
        file: &str,
        says: &str,
        key: &Key,
        issuer: Option<&Ca>,
        make: impl FnOnce() -> Result<Vec<u8>, rcgen::Error>,
    ) -> Result<Vec<u8>, Error> {
        let hash = Digest::Sha256.hash(
            &[
                format!("{FORMAT} {} {says}", self.clock.unix_timestamp()).as_bytes(),
                key.spki_der(),
                issuer.map_or(&[], |issuer| &issuer.certificate),
            ]
            .concat(),
        );
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path: PathBuf = [
            format!("certs-{}", days(self.clock)),
            format!("{file}-{hash}.pem"),
        ]
        .iter()
        .collect();
        let (der, _) = self
            .store
            .find_or_make(&path, file, pem_text::CERTIFICATE, || {
                make().map_err(|error| Error::Certificate {
                    name: file.to_owned(),
                    detail: error.to_string(),
                })
            })?;
        Ok(der)
    }
}

impl fmt::Debug for Pki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pki")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

fn clock(now: SystemTime) -> OffsetDateTime {
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    let period = PERIOD_DAYS * SECONDS_PER_DAY;
    let periods = i64::try_from(seconds).unwrap_or(0) / period;
    OffsetDateTime::from_unix_timestamp(periods * period).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn days(clock: OffsetDateTime) -> i64 {
    clock.unix_timestamp() / SECONDS_PER_DAY
}

/// Values made once each, without holding up others that are asked for meanwhile.
struct Slots<K, V>(Mutex<HashMap<K, Arc<Slot<V>>>>);

struct Slot<V>(Mutex<Option<Arc<V>>>);

impl<K: Eq + Hash, V> Slots<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> Result<V, Error>) -> Result<Arc<V>, Error> {
        let slot = Arc::clone(lock(&self.0).entry(key).or_default());
        let mut value = lock(&slot.0);
        if let Some(value) = &*value {
            return Ok(Arc::clone(value));
        }
        let made = Arc::new(make()?);
        *value = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A panic elsewhere leaves a slot empty or full, never half made.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
