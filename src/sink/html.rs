//! STUB
pub fn render(report: &serde_json::Value) -> Result<String, minijinja::Error> {
    Ok(report.to_string())
}
