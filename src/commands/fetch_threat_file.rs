//! `sentinelone-fetch-threat-file`: the files of threats.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use sentinelone_raw::runtime::{ApiVersion, Page, Request};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::{
    self as raw, ThreatFileRequest, ThreatFileRequestData, ThreatFilter, ThreatTimelineSortField,
    ThreatsListTimelineQuery,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::act::{act, join, known, refuse, without_answer};
use super::context::{Output, under};
use super::lists::unique;
use super::scripts::about;
use super::uploads::{self, Log, Place, Upload};
use super::wait::Look;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::error::Error;
use crate::outcome::{IdOutcome, IdState};

/// Has agents upload the files of threats, waits for them and downloads them.
///
/// Every threat is on its own: those whose file came are there, whatever became of the others. The first failure
/// is that of the outcome, and each is among its errors, with its threat.
#[derive(Clone, Debug)]
pub struct FetchThreatFile {
    /// The threats.
    pub threat_ids: Vec<String>,
    /// The password of the zips that the files come in.
    pub password: SecretString,
    /// The folder on this machine that the files are written to: below it, each in a folder that is named
    /// after the threat.
    pub folder: PathBuf,
    /// How long to wait for the uploads.
    pub timeout: Duration,
    /// Whether to unpack the zips.
    pub unpack: bool,
}

/// The uploads of threats.
type Found = Vec<(String, Result<Upload>)>;

/// How many entries of a timeline a look asks for, newest first.
const LOOK: i64 = 30;

/// An order that failed.
struct Failed {
    error: Error,
    /// Whether the console may have taken it.
    acted: bool,
}

/// A threat whose file is waited for, and the uploads of before.
struct Awaited {
    id: String,
    before: HashSet<Upload>,
}

impl Command for FetchThreatFile {
    const INFO: Info = Info {
        name: "fetch-threat-file",
        full_name: "sentinelone-fetch-threat-file",
        summary: "Fetch the files of threats: order them, wait for them and download them",
        versions: ApiVersion::ALL,
        acts: true,
        destructive: false,
        asks: false,
        operations: &["agents_download", "threats_fetch_file", "threats_list_timeline"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Threat.ID", "String", "Identifier of the threat", "threat_id"),
        Output::computed(
            "SentinelOne.Threat.Downloadable",
            "Boolean",
            "Whether its file was uploaded; null when nobody knows",
        ),
        Output::computed(
            "SentinelOne.Threat.ZippedFile",
            "String",
            "Where on this machine it is: the zip, or the folder that it was unpacked into",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("threat_id", ArgumentKind::List, "Identifiers of the threats.").required(),
            uploads::new_password(),
            uploads::folder_argument(),
            uploads::timeout_argument(),
            uploads::unpack_argument(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            threat_ids: arguments.required_list("threat_id")?,
            password: uploads::password(arguments)?,
            folder: uploads::folder(arguments)?,
            timeout: uploads::timeout(arguments)?,
            unpack: uploads::unpack(arguments)?,
        })
    }

    /// Of each threat the order, and the look at its timeline, which comes before it too.
    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let mut all = Vec::new();
        for (id, order) in unique(&self.threat_ids).iter().zip(self.orders()?) {
            all.push(order);
            all.push(look(id)?.answering());
        }
        Ok(all)
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let orders = self.orders()?;
        unique(&self.threat_ids).iter().try_for_each(|id| self.place(id).check())?;
        let mut outcome = Outcome::found(Value::Null, Value::Null);
        let mut awaited = Vec::new();
        for (id, order) in unique(&self.threat_ids).iter().zip(orders) {
            match self.order(client, id, order, &mut outcome).await {
                Ok(Some(threat)) => awaited.push(threat),
                Ok(None) => {}
                Err(error) => {
                    let state = if error.acted { IdState::Unknown } else { IdState::NotAffected };
                    outcome.ids.push(without_answer(id.clone(), state));
                    fail(&mut outcome, std::slice::from_ref(id), error.error);
                }
            }
        }
        let places = self.collect(client, watch, awaited, &mut outcome).await;
        let entries = outcome.ids.iter().map(|one| {
            // What is done in part was uploaded, and not downloaded.
            let uploaded = if one.state == IdState::Partly { Value::Bool(true) } else { known(one) };
            let mut entry = json!({ "ID": one.id, "Downloadable": uploaded });
            if let Some(place) = places.get(&one.id) {
                put(&mut entry, "ZippedFile", json!(place));
            }
            entry
        });
        outcome.context = under("SentinelOne.Threat", entries.collect());
        Ok(outcome)
    }
}

impl FetchThreatFile {
    /// One order a threat: the API takes a filter that selects exactly one.
    fn orders(&self) -> Result<Vec<Request<Value>>> {
        uploads::check_password(Self::INFO.name, &self.password)?;
        uploads::check_unpack(Self::INFO.name, self.unpack)?;
        if self.threat_ids.is_empty() {
            return Err(refuse(Self::INFO.name, "threat_id", "is missing; give at least one"));
        }
        let order = |id: &String| {
            let data = ThreatFileRequestData::new(&self.password);
            let filter = ThreatFilter::default().ids([id]);
            Ok(raw::fetch_file(&ThreatFileRequest::new(data, filter))?.answering())
        };
        let orders = unique(&self.threat_ids).iter().map(order).collect::<Result<Vec<_>>>()?;
        orders.iter().try_for_each(Request::check)?;
        Ok(orders)
    }

    /// Orders the file of a threat; there is nothing to wait for when the console passed it over.
    async fn order(
        &self,
        client: &Client,
        id: &str,
        order: Request<Value>,
        outcome: &mut Outcome,
    ) -> Result<Option<Awaited>, Failed> {
        let before = async { Log::read(client, &look(id)?, |_| true).await };
        let before = before.await.map_err(|error| Failed { error, acted: false })?;
        let answer = act(client, vec![order]).await;
        let (answer, _) = answer.map_err(|error| Failed { acted: error.may_have_acted(), error })?;
        // An answer without a count leaves the sum unknown.
        let is_first = outcome.answer.is_null();
        outcome.affected = match (outcome.affected, answer.affected) {
            (Some(before), Some(now)) => Some(before.saturating_add(now)),
            (None, now) if is_first => now,
            _ => None,
        };
        join(&mut outcome.answer, answer.answer);
        outcome.errors.extend(answer.errors);
        let refused = answer.ids.iter().all(|one| one.state == IdState::NotAffected);
        // The order was taken; whether a file comes is only known when it is there.
        outcome.ids.extend(answer.ids.into_iter().map(|one| match one.state {
            IdState::NotAffected => one,
            _ => IdOutcome { state: IdState::Unknown, ..one },
        }));
        let before = before.uploads.into_iter().collect();
        Ok((!refused).then(|| Awaited { id: id.to_owned(), before }))
    }

    fn place<'a>(&'a self, id: &'a str) -> Place<'a> {
        Place { folder: &self.folder, name: id, unpack: self.unpack }
    }

    /// Waits for the uploads and downloads each when it is there. Puts into the outcome what became of them,
    /// and tells where the files of each threat are.
    async fn collect(
        &self,
        client: &Client,
        watch: &dyn Watch,
        mut awaited: Vec<Awaited>,
        outcome: &mut Outcome,
    ) -> HashMap<String, String> {
        let mut places = HashMap::new();
        // Downloads take no time away from the waiting for the others.
        let mut left = self.timeout;
        while !awaited.is_empty() {
            let begun = Instant::now();
            // What was found stays when the time is over in the middle of a look.
            let found = Mutex::new(Vec::new());
            let ended = uploads::patience(left).until(watch, || look_at(client, &awaited, &found)).await;
            left = left.saturating_sub(begun.elapsed());
            let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
            if found.is_empty() {
                let ids: Vec<_> = awaited.into_iter().map(|threat| threat.id).collect();
                let resume = format!(
                    "the files of {} may still come: their timelines then have the paths, and \
                     download-fetched-file takes the agent and the activity of a path",
                    ids.join(", ")
                );
                let error = match ended {
                    Err(error) => error.resuming(&resume),
                    Ok(_) => Error::deadline(&raw::FETCH_FILE, resume),
                };
                fail(outcome, &ids, error);
                break;
            }
            awaited.retain(|threat| !found.iter().any(|(id, _)| *id == threat.id));
            for (id, upload) in found {
                match self.take(client, watch, &id, upload, outcome).await {
                    Ok(place) => {
                        places.insert(id, place);
                    }
                    Err(error) => fail(outcome, &[id], error),
                }
            }
        }
        places
    }

    async fn take(
        &self,
        client: &Client,
        watch: &dyn Watch,
        id: &str,
        upload: Result<Upload>,
        outcome: &mut Outcome,
    ) -> Result<String> {
        let upload = upload?;
        for one in outcome.ids.iter_mut().filter(|one| one.id == id) {
            (one.state, one.detail) = (IdState::Partly, Some(upload.path()));
        }
        let place = self.place(id);
        let files = place.take(client, &upload, &self.password, watch).await?;
        outcome.files.extend(files);
        outcome.ids.iter_mut().filter(|one| one.id == id).for_each(|one| one.state = IdState::Done);
        Ok(place.target().display().to_string())
    }
}

fn look(id: &str) -> Result<Request<Page<Value>>> {
    let query = ThreatsListTimelineQuery::default()
        .limit(LOOK)
        .sort_by(ThreatTimelineSortField::CreatedAt)
        .sort_order(SortOrder::Desc);
    Ok(raw::list_timeline(id, &query)?.answering())
}

/// Looks which files are there, and of which threats nothing more can be known. A console that is busy ends the
/// look, unless it found something.
async fn look_at(client: &Client, awaited: &[Awaited], found: &Mutex<Found>) -> Result<Look<()>> {
    let mut trouble = None;
    let mut any = false;
    for threat in awaited {
        let log = async { Log::read(client, &look(&threat.id)?, |_| true).await };
        let upload = match log.await {
            Ok(log) => log.new_since(&threat.before).map(Ok),
            Err(error) if error.may_pass() => {
                trouble = Some(error);
                None
            }
            Err(error) => Some(Err(error)),
        };
        if let Some(upload) = upload {
            found.lock().unwrap_or_else(PoisonError::into_inner).push((threat.id.clone(), upload));
            any = true;
        }
    }
    match trouble {
        _ if any => Ok(Look::Found(())),
        Some(error) => Err(error),
        None => {
            let files = if awaited.len() == 1 { "file is" } else { "files are" };
            Ok(Look::NotYet(format!("{} {files} not uploaded yet", awaited.len())))
        }
    }
}

/// The failure is told of each of these threats.
fn fail(outcome: &mut Outcome, threats: &[String], error: Error) {
    for id in threats {
        outcome.errors.push(about(&format!("threat {id}"), error.to_string()));
        for one in outcome.ids.iter_mut().filter(|one| one.id == *id) {
            one.detail = Some(match one.detail.take() {
                Some(known) => format!("{known}: {error}"),
                None => error.to_string(),
            });
        }
    }
    outcome.failure.get_or_insert(error);
}
