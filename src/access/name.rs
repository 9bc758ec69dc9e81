//! Names that stand in addresses and files: of sites, users, hooks.

/// Whether a name is one.
///
/// # Errors
/// Says what a name of a `what` is made of.
pub fn check_name(what: &str, name: &str) -> Result<(), String> {
    let fits = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(())
    } else {
        Err(format!("`{name}` is no {what}: use letters, digits, `-`, `_`, `.`, at most 64"))
    }
}
