//! What the client is used for, resource by resource, in one grammar: `client.threats()`, then a verb,
//! then what it is about, then `send`, `page` or `items`. Before that, `request` gives the request as a
//! value, to look at or to send later.

pub mod threats;
