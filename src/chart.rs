//! Charts as SVG, made on the server: no script, no style attribute, readable in print. Colours come from classes of the style sheet; every chart has
//! a name for screen readers, and the page puts its numbers into a table beside it.

use std::fmt::Write as _;

/// A number with commas between its thousands.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = if n < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text inside SVG.
fn escaped(text: &str) -> String {
    html_escape::encode_double_quoted_attribute(text).into_owned()
}

/// A series of a bar chart: its CSS class and its values.
pub struct Series<'a> {
    /// CSS class of its bars.
    pub class: &'a str,
    /// What it counts.
    pub name: &'a str,
    /// One a label.
    pub values: &'a [f64],
}

/// Bars over one another, one column a label. Width and height are in CSS pixels; the picture scales.
pub fn bars(title: &str, labels: &[String], series: &[Series<'_>], height: f64) -> String {
    let columns = labels.len().max(1);
    let width = 720.0;
    let (left, bottom, top) = (44.0, 22.0, 8.0);
    let sums = (0..columns).map(|at| series.iter().filter_map(|s| s.values.get(at)).sum::<f64>());
    let most = nice(sums.fold(0.0, f64::max));
    let step = (width - left) / columns as f64;
    let scale = (height - bottom - top) / most;
    let mut svg = head(title, width, height);
    let parts: &[f64] = if (most / 2.0).fract() == 0.0 { &[0.0, 0.5, 1.0] } else { &[0.0, 1.0] };
    for part in parts {
        let y = height - bottom - most * part * scale;
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{left}" x2="{width}" y1="{y:.1}" y2="{y:.1}"/><text class="axis" x="{:.0}" y="{:.1}" text-anchor="end">{}</text>"#,
            left - 6.0,
            y + 4.0,
            number(most * part)
        );
    }
    // Labels are set in letters of some six pixels: so many fit beside one another.
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(1).max(1);
    let fit = ((width - left) / (longest as f64 * 6.5 + 10.0)).max(1.0) as usize;
    let every = columns.div_ceil(fit);
    for (at, label) in labels.iter().enumerate() {
        let x = left + step * at as f64;
        let mut y = height - bottom;
        for s in series {
            let value = s.values.get(at).copied().unwrap_or(0.0);
            if value <= 0.0 {
                continue;
            }
            let tall = (value * scale).max(1.0);
            y -= tall;
            let _ = write!(
                svg,
                r#"<rect class="{}" x="{:.1}" y="{y:.1}" width="{:.1}" height="{tall:.1}"><title>{}: {} {}</title></rect>"#,
                escaped(s.class),
                x + step * 0.1,
                (step * 0.8).max(1.0),
                escaped(label),
                number(value),
                escaped(s.name)
            );
        }
        if at % every == 0 {
            let _ = write!(
                svg,
                r#"<text class="axis" x="{:.1}" y="{:.0}" text-anchor="middle">{}</text>"#,
                x + step / 2.0,
                height - 6.0,
                escaped(label)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Small bars in a line of text.
pub fn spark(title: &str, values: &[f64]) -> String {
    let (width, height) = (values.len() as f64 * 5.0, 24.0);
    let most = values.iter().copied().fold(1.0, f64::max);
    let mut svg = head(title, width.max(5.0), height).replacen("chart", "spark", 1);
    for (at, value) in values.iter().enumerate() {
        let tall = (value / most * (height - 2.0)).max(if *value > 0.0 { 1.5 } else { 0.5 });
        let _ = write!(
            svg,
            r#"<rect class="c1" x="{}" y="{:.1}" width="4" height="{tall:.1}"/>"#,
            at * 5,
            height - tall
        );
    }
    svg.push_str("</svg>");
    svg
}

/// One bar of contributions that add up: where it begins and ends between `low` and `high`.
pub fn contribution(from: f64, to: f64, low: f64, high: f64, class: &str) -> String {
    let width = 200.0;
    let span = (high - low).max(1e-9);
    let x = |value: f64| (value - low) / span * width;
    let (a, b) = (x(from.min(to)), x(from.max(to)));
    format!(
        r#"<svg class="bar" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true"><line class="zero" x1="{0:.1}" x2="{0:.1}" y1="0" y2="12"/><rect class="{class}" x="{a:.1}" y="2" width="{1:.1}" height="8"/></svg>"#,
        x(0.0),
        (b - a).max(1.0)
    )
}

fn head(title: &str, width: f64, height: f64) -> String {
    format!(
        r#"<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}">"#,
        escaped(title)
    )
}

/// The next number that an axis ends well with.
fn nice(most: f64) -> f64 {
    if most <= 4.0 {
        return most.ceil().max(2.0);
    }
    let unit = 10f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 10.0].into_iter().map(|times| times * unit).find(|end| *end >= most).unwrap_or(most)
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { thousands(value as i64) } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_escapes_its_words_and_holds_every_value() {
        let labels = ["<script>".to_owned(), "b".to_owned()];
        let series = Series { class: "c1", name: "\"x\"", values: &[3.0, 0.0] };
        let svg = bars("a & b", &labels, &[series], 120.0);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
        assert_eq!(svg.matches("<rect").count(), 1);
        assert!(!svg.contains("style="), "the policy forbids style attributes");
    }

    #[test]
    fn axes_end_well() {
        for (most, end) in [(0.0, 2.0), (3.0, 3.0), (7.0, 10.0), (17.0, 20.0), (38.0, 40.0), (101.0, 200.0)] {
            assert_eq!(nice(most), end, "{most}");
        }
    }
}
