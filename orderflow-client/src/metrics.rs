//! A service's numbers, as `/metrics` tells them: a reader of the part of OpenMetrics' text format that our services write.
//!
//! ```text
//!   # HELP orderflow_consumer_lag Records in a partition that …     passed over
//!   orderflow_consumer_lag{topic="orders",partition="3"} 7          a sample: name, labels, value
//!   # EOF
//! ```

use crate::{
    endpoints::Service,
    error::ClientError,
    http::{self, Client},
};

/// Samples that are kept of one answer; ours have a few hundred.
const SAMPLES_MAX: usize = 20_000;
/// Labels of one sample.
const LABELS_MAX: usize = 16;
/// Longest time for an answer: whoever looks at numbers asks again soon.
const ANSWER_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name, with the `_total` of counters.
    pub name: String,
    /// What it is of: pairs of name and value.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
}

impl Sample {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A service's numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    samples: Vec<Sample>,
}

impl Metrics {
    /// Reads the text. A line that makes no sense is passed over: a newer service may write what we do not know.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self { samples: lines.filter_map(sample).take(SAMPLES_MAX).collect() }
    }

    /// All samples of a name.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    /// The sum of all samples of a name; nothing if there is none.
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.of(name).map(|sample| sample.value).reduce(|sum, value| sum + value)
    }
}

/// `name{label="value",…} value`, and whatever comes behind.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value: f64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    (!name.is_empty() && value.is_finite()).then(|| Sample { name: name.to_owned(), labels, value })
}

/// The labels behind the brace, and what comes behind them.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        if labels.len() == LABELS_MAX {
            return None;
        }
        let (name, behind) = rest.split_once("=\"")?;
        let (value, behind) = quoted(behind)?;
        labels.push((name.to_owned(), value));
        rest = behind.strip_prefix(',').unwrap_or(behind);
    }
}

/// A value up to its closing quotation mark, and what comes behind that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            c => value.push(c),
        }
    }
    None
}

impl Client {
    /// A service's numbers. They are for whoever asks, so no token is needed; the newest count, so it is not asked again.
    pub async fn metrics(&self, service: Service) -> Result<Metrics, ClientError> {
        let url = format!("{}/metrics", self.endpoints().of(service).trim_end_matches('/'));
        let sent = self.http.get(&url).timeout(ANSWER_MAX).send().await;
        let response = sent.map_err(|error| http::failed(&url, error))?;
        let (_, body) = http::answered(&url, response).await?;
        Ok(Metrics::parse(&String::from_utf8_lossy(&body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP orderflow_outbox_pending Records committed and not published yet.
# TYPE orderflow_outbox_pending gauge
orderflow_outbox_pending 4
orderflow_inbox_duplicates_total 7
orderflow_consumer_lag{topic="orders",partition="0"} 3
orderflow_consumer_lag{topic="orders",partition="1"} 2
orderflow_http_requests_total{method="GET",route="/v1/{id}",status="200"} 12 1700000000.5
odd{text="a \"b\", c\\d\n}"} 1e3
# EOF
"#;

    #[test]
    fn samples_are_read_with_their_labels() {
        let metrics = Metrics::parse(TEXT);
        assert_eq!(metrics.sum("orderflow_outbox_pending"), Some(4.0));
        assert_eq!(metrics.sum("orderflow_inbox_duplicates_total"), Some(7.0));
        assert_eq!(metrics.sum("orderflow_consumer_lag"), Some(5.0));
        assert_eq!(metrics.sum("nothing"), None);
        let lag: Vec<_> = metrics.of("orderflow_consumer_lag").map(|sample| sample.label("partition")).collect();
        assert_eq!(lag, [Some("0"), Some("1")]);
        let requests = metrics.of("orderflow_http_requests_total").next().unwrap();
        assert_eq!((requests.label("route"), requests.value), (Some("/v1/{id}"), 12.0));
        let odd = metrics.of("odd").next().unwrap();
        assert_eq!((odd.label("text"), odd.value), (Some("a \"b\", c\\d\n}"), 1000.0));
    }

    #[test]
    fn what_makes_no_sense_is_passed_over_and_there_is_an_end_to_it() {
        let odd = ["", "name", "name x", "{} 1", "a{b} 1", "a{b=\"c 1", "a{b=\"c\\", "a NaN", "a +Inf", "<html>"];
        assert_eq!(Metrics::parse(&odd.join("\n")), Metrics::default());
        assert_eq!(Metrics::parse("good 1\nbad\ngood 2").sum("good"), Some(3.0));
        let many = format!("a{{{}}} 1", "b=\"c\",".repeat(LABELS_MAX + 1));
        assert_eq!(Metrics::parse(&many), Metrics::default());
        assert_eq!(Metrics::parse(&"a 1\n".repeat(SAMPLES_MAX + 5)).samples.len(), SAMPLES_MAX);
    }
}
