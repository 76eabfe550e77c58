//! `sentinelone-create-ioc`: creates an indicator of compromise.

use sentinelone_raw::iocs::{self as raw, IocData, IocsCreateRequest};
use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::shared::ScopeFilter;

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::saved::create;
use super::{CreateIoc, Outcome};
use crate::Result;

impl Behavior for CreateIoc {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let mut data = IocData::new(self.source.clone(), self.value.clone())
            .name(self.name.clone())
            .type_(self.type_.clone())
            .method(self.method.clone())
            .valid_until(self.valid_until.clone());
        data.external_id = self.external_id.clone();
        data.description = self.description.clone();
        let scope = ScopeFilter::default().account_ids(&self.account_ids);
        Ok(vec![raw::create(&IocsCreateRequest::new([data]).filter(scope))?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        create::<Self>(run, &self.value, "uuid").await
    }
}
