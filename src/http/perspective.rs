//! A Perspective-compatible service (`/v1alpha1/comments:analyze`, `:suggestscore`): its users need somewhere to go after 2026.
//!
//! `analyze` judges the text alone, for it carries no story and no author, and gives our score under every attribute asked for;
//! `suggestscore` says what people decided about a comment that Coral names by its id.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Comment, Status};
use crate::store::StoreError;
use crate::store::records::{Key, Scope};

#[derive(Debug, Deserialize)]
struct Query {
    key: Option<String>,
}

async fn key(request: &HttpRequest, state: &State) -> Result<Key, ApiError> {
    let query = web::Query::<Query>::from_query(request.query_string());
    let key = query.ok().and_then(|query| query.into_inner().key);
    let key = key.ok_or_else(|| ApiError::new(Code::Unauthorized, "send the key as `?key=KEY`"))?;
    state.key(&key, Scope::Perspective).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Analyze {
    comment: Text,
    requested_attributes: Map<String, Value>,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Text {
    text: String,
}

/// `POST /v1alpha1/comments:analyze`.
pub(super) async fn analyze(
    request: HttpRequest,
    state: web::Data<State>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    key(&request, &state).await?;
    let question: Analyze = body::json(&request, &bytes)?;
    if question.requested_attributes.is_empty() {
        return Err(ApiError::new(Code::InvalidBody, "`requestedAttributes` is empty: name at least one"));
    }
    let comment = Comment {
        id: "analyze".into(),
        lang: question.languages.first().cloned(),
        text: question.comment.text,
        ..Comment::default()
    };
    let assessment = state.intake.score(&comment, None);
    let summary = json!({ "value": assessment.score, "type": "PROBABILITY" });
    let spans = json!([{ "begin": 0, "end": comment.text.encode_utf16().count(), "score": summary }]);
    let scores: Map<String, Value> = question
        .requested_attributes
        .keys()
        .map(|name| (name.clone(), json!({ "summaryScore": summary, "spanScores": spans })))
        .collect();
    let mut answer = json!({
        "attributeScores": scores,
        "languages": question.languages,
        "detectedLanguages": question.languages,
    });
    if let (Some(token), Some(answer)) = (question.client_token, answer.as_object_mut()) {
        answer.insert("clientToken".to_owned(), json!(token));
    }
    Ok(HttpResponse::Ok().json(answer))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suggestion {
    attribute_scores: Map<String, Value>,
    #[serde(default)]
    client_token: Option<String>,
}

/// `POST /v1alpha1/comments:suggestscore`.
pub(super) async fn suggest(
    request: HttpRequest,
    state: web::Data<State>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, ApiError> {
    let key = key(&request, &state).await?;
    let suggestion: Suggestion = body::json(&request, &bytes)?;
    let value =
        suggestion.attribute_scores.values().find_map(|score| score.pointer("/summaryScore/value")?.as_f64());
    let value = value.ok_or_else(|| {
        ApiError::new(Code::InvalidBody, "`attributeScores.MODEL.summaryScore.value` is missing")
    })?;
    let id = suggestion.client_token.as_deref().and_then(|token| token.strip_prefix("comment:"));
    if let Some(id) = id {
        let status = if value >= 0.5 { Status::Rejected } else { Status::Published };
        match state.intake.set_status(key.site, id.into(), status).await {
            Ok(()) | Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let token = suggestion.client_token.map_or(json!({}), |token| json!({ "clientToken": token }));
    Ok(HttpResponse::Ok().json(token))
}
