//! `sentinelone-fetch-threat-file`: the files of threats.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sentinelone_raw::runtime::{ApiVersion, Fields, Page, Request};
use sentinelone_raw::shared::SortOrder;
use sentinelone_raw::threats::{
    self as raw, ThreatFileRequest, ThreatFileRequestData, ThreatFilter, ThreatTimelineSortField,
    ThreatsListTimelineQuery,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::act::{act, known, requests};
use super::context::{Output, under};
use super::scripts::about;
use super::uploads::{self, Log, Place, Upload};
use super::wait::Look;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::error::Error;
use crate::outcome::IdState;

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

/// How many entries of a timeline a look asks for, newest first.
const LOOK: i64 = 30;

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

    /// The order, and the look at the timeline of each threat, which comes before it too.
    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let mut all = self.orders()?;
        for id in self.unique() {
            all.push(look(id)?.answering());
        }
        Ok(all)
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let orders = self.orders()?;
        self.unique().iter().try_for_each(|id| self.place(id).check())?;
        let mut awaited = Vec::new();
        for id in self.unique() {
            let log = Log::read(client, &look(id)?, |_| true).await?;
            awaited.push(Awaited { id: id.clone(), before: log.uploads.into_iter().collect() });
        }
        let (mut outcome, _) = act(client, orders).await?;
        let refused = |outcome: &Outcome, id: &str| {
            outcome.ids.iter().any(|one| one.id == id && one.state == IdState::NotAffected)
        };
        awaited.retain(|threat| !refused(&outcome, &threat.id));
        // The order was taken; whether a file comes is only known when it is there.
        for one in outcome.ids.iter_mut().filter(|one| one.state != IdState::NotAffected) {
            one.state = IdState::Unknown;
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
    fn orders(&self) -> Result<Vec<Request<Value>>> {
        uploads::check_password(Self::INFO.name, &self.password)?;
        uploads::check_unpack(Self::INFO.name, self.unpack)?;
        requests(self, ("threat_id", &self.threat_ids), ThreatFilter::FIELDS, |ids| {
            let data = ThreatFileRequestData::new(self.password.expose_secret());
            raw::fetch_file(&ThreatFileRequest::new(data, ThreatFilter::default().ids(ids)))
        })
    }

    fn unique(&self) -> Vec<&String> {
        let mut seen = HashSet::new();
        self.threat_ids.iter().filter(|id| seen.insert(*id)).collect()
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
            let look = || async { Ok(look_at(client, &awaited).await) };
            let found = uploads::patience(left).until(watch, look).await;
            left = left.saturating_sub(begun.elapsed());
            let found = match found {
                Ok(Some(found)) => found,
                Ok(None) => {
                    let ids: Vec<_> = awaited.iter().map(|threat| threat.id.as_str()).collect();
                    let resume = format!(
                        "the files of {} may still come: their timelines then have the paths, and \
                         download-fetched-file takes the agent and the activity of a path",
                        ids.join(", ")
                    );
                    let late: Vec<_> = awaited.into_iter().map(|threat| threat.id).collect();
                    fail(outcome, &late, Error::deadline(&raw::FETCH_FILE, resume));
                    break;
                }
                Err(error) => {
                    let left: Vec<_> = awaited.into_iter().map(|threat| threat.id).collect();
                    fail(outcome, &left, error);
                    break;
                }
            };
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

/// The threats whose file is there, and those of which nothing more can be known.
async fn look_at(client: &Client, awaited: &[Awaited]) -> Look<Vec<(String, Result<Upload>)>> {
    let mut found = Vec::new();
    for threat in awaited {
        let log = match look(&threat.id) {
            Ok(request) => Log::read(client, &request, |_| true).await,
            Err(error) => Err(error),
        };
        match log.map(|log| log.new_since(&threat.before)) {
            Ok(Some(upload)) => found.push((threat.id.clone(), Ok(upload))),
            Ok(None) => {}
            Err(error) => found.push((threat.id.clone(), Err(error))),
        }
    }
    if found.is_empty() {
        let files = if awaited.len() == 1 { "file is" } else { "files are" };
        return Look::NotYet(format!("{} {files} not uploaded yet", awaited.len()));
    }
    Look::Found(found)
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
