//! A Perspective-compatible service (`/v1alpha1/comments:analyze`, `:suggestscore`): its users need somewhere to go after 2026.
//!
//! `analyze` judges the text alone, for it carries no story and no author, and gives our score under every attribute asked for;
//! `suggestscore` says what people decided about a comment that Coral names by its id. Errors have Google's shape, which its clients read.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::body;
use super::error::{ApiError, Code};
use super::state::State;
use crate::domain::{Comment, Status};
use crate::store::StoreError;
use crate::store::records::Scope;

/// The site of the key in `?key=` or `X-Goog-Api-Key`.
async fn site(request: &HttpRequest, state: &State) -> Result<String, ApiError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let header = request.headers().get("x-goog-api-key").and_then(|value| value.to_str().ok());
    let key = pairs.into_iter().find(|(name, _)| name == "key").map(|(_, key)| key);
    let key = key.or_else(|| header.map(str::to_owned));
    let key = key.ok_or_else(|| ApiError::new(Code::Unauthorized, "send the key as `?key=KEY`"))?;
    Ok(state.key(&key, Scope::Perspective).await?.1)
}

/// An error as Google words it.
fn refused(error: &ApiError) -> HttpResponse {
    let (code, status, _) = error.code.row();
    let (status, word, reason) = match error.code {
        Code::Unauthorized => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "API_KEY_INVALID"),
        Code::Forbidden => (StatusCode::FORBIDDEN, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED"),
        Code::StoreUnavailable | Code::Overloaded => (status, "UNAVAILABLE", code),
        _ => (status, "INVALID_ARGUMENT", code),
    };
    HttpResponse::build(status).json(json!({ "error": {
        "code": status.as_u16(),
        "message": error.detail,
        "status": word,
        "details": [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "claque" }],
    } }))
}

/// A text to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Analyze {
    comment: Text,
    requested_attributes: Map<String, Value>,
    #[serde(default)]
    languages: Option<Vec<String>>,
    #[serde(default)]
    client_token: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Text {
    text: String,
}

/// A text's score under every attribute asked for
#[utoipa::path(post, path = "/v1alpha1/comments:analyze", tag = "content systems", params(("key" = Option<String>, Query, description = "The key")),
    request_body = Analyze, responses((status = 200, description = "The scores", body = Value)), security(()))]
pub(super) async fn analyze(
    request: HttpRequest,
    state: web::Data<State>,
    body::Body(bytes): body::Body,
) -> HttpResponse {
    let answer = async {
        site(&request, &state).await?;
        judge(&state, body::json(&request, &bytes)?)
    };
    answer.await.map_or_else(|error| refused(&error), |answer| HttpResponse::Ok().json(answer))
}

fn judge(state: &State, question: Analyze) -> Result<Value, ApiError> {
    if question.requested_attributes.is_empty() {
        return Err(ApiError::new(Code::InvalidBody, "`requestedAttributes` is empty: name at least one"));
    }
    let languages = question.languages.unwrap_or_default();
    let comment = Comment {
        id: "analyze".into(),
        lang: languages.first().cloned(),
        text: question.comment.text,
        ..Comment::default()
    };
    let assessment = state.intake.score(&comment, None);
    let summary = json!({ "value": assessment.score, "type": "PROBABILITY" });
    let spans = json!([{ "begin": 0, "end": comment.text.encode_utf16().count(), "score": summary }]);
    let scores: Map<String, Value> = question
        .requested_attributes
        .iter()
        .map(|(name, wish)| {
            let least = wish.get("scoreThreshold").and_then(Value::as_f64).unwrap_or(0.0);
            (name, least)
        })
        .filter(|(_, least)| assessment.score >= *least)
        .map(|(name, _)| (name.clone(), json!({ "summaryScore": summary, "spanScores": spans })))
        .collect();
    let languages = if languages.is_empty() { vec!["en".to_owned()] } else { languages };
    let mut answer =
        json!({ "attributeScores": scores, "languages": languages, "detectedLanguages": languages });
    if let (Some(token), Some(answer)) = (question.client_token, answer.as_object_mut()) {
        answer.insert("clientToken".to_owned(), json!(token));
    }
    Ok(answer)
}

/// What people say a score should be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Suggestion {
    attribute_scores: Map<String, Value>,
    #[serde(default)]
    client_token: Option<String>,
}

/// What people decided about a comment
#[utoipa::path(post, path = "/v1alpha1/comments:suggestscore", tag = "content systems", params(("key" = Option<String>, Query, description = "The key")),
    request_body = Suggestion, responses((status = 200, description = "Noted", body = Value)), security(()))]
pub(super) async fn suggest(
    request: HttpRequest,
    state: web::Data<State>,
    body::Body(bytes): body::Body,
) -> HttpResponse {
    let answer = async {
        let site = site(&request, &state).await?;
        note(&state, site, body::json(&request, &bytes)?).await
    };
    answer.await.map_or_else(|error| refused(&error), |answer| HttpResponse::Ok().json(answer))
}

async fn note(state: &State, site: String, suggestion: Suggestion) -> Result<Value, ApiError> {
    let value = suggestion.attribute_scores.values().find_map(|score| {
        let summary = score.pointer("/summaryScore/value");
        summary.or_else(|| score.pointer("/spanScores/0/score/value"))?.as_f64()
    });
    let value = value.ok_or_else(|| {
        ApiError::new(Code::InvalidBody, "`attributeScores.MODEL.summaryScore.value` is missing")
    })?;
    let id = suggestion.client_token.as_deref().and_then(|token| token.strip_prefix("comment:"));
    if let Some(id) = id {
        let status = if value >= 0.5 { Status::Rejected } else { Status::Published };
        match state.intake.set_status(site, id.into(), status).await {
            Ok(()) | Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(suggestion.client_token.map_or(json!({}), |token| json!({ "clientToken": token })))
}
