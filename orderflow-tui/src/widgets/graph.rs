//! Graphs made of letters: columns and bars in eighths of a letter.

/// From nothing to a full letter, upwards.
const UP: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same, to the right.
const RIGHT: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// How many eighths of so many letters a share is; something is never drawn as nothing.
fn eighths(share: f64, letters: usize) -> usize {
    let all = letters.saturating_mul(8);
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    if share <= 0.0 {
        return 0;
    }
    // By counting: there is no lossless way from a float, and these are a few hundred at most.
    let wanted = share * f64::from(u32::try_from(all).unwrap_or(u32::MAX));
    let reached = (1..=all).take_while(|eighth| f64::from(u32::try_from(*eighth).unwrap_or(u32::MAX)) <= wanted + 0.5);
    reached.count().max(1)
}

/// One column for each value, the highest letters first, `height` of them one over the other. `max` is as high as all.
pub fn columns(values: &[f64], height: usize, max: f64) -> Vec<String> {
    let high: Vec<usize> = values.iter().map(|value| eighths(value / max, height)).collect();
    let row = |level: usize| high.iter().map(|high| UP[high.saturating_sub(level * 8).min(8)]).collect();
    (0..height).rev().map(row).collect()
}

/// A bar to the right: `width` letters for the whole.
pub fn bar(share: f64, width: usize) -> String {
    let long = eighths(share, width);
    let part = if long.is_multiple_of(8) { String::new() } else { RIGHT[long % 8].to_string() };
    format!("{}{part}", "█".repeat(long / 8))
}

/// The next of 1, 2, 5, 10, 20, 50 … that is not below: an axis that seldom changes.
pub fn ceiling(value: f64) -> f64 {
    let mut unit = 1.0;
    while unit < 1e12 {
        if let Some(nice) = [1.0, 2.0, 5.0].iter().map(|step| step * unit).find(|nice| *nice >= value) {
            return nice;
        }
        unit *= 10.0;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_on_their_foot() {
        assert_eq!(columns(&[0.0, 0.5, 1.0, 0.01], 1, 1.0), [" ▄█▁"]);
        assert_eq!(columns(&[0.0, 5.0, 10.0, 7.5], 2, 10.0), ["  █▄", " ███"]);
        assert_eq!(columns(&[1.0, f64::NAN], 1, 0.0), ["  "], "of nothing there is nothing to draw");
        assert!(columns(&[1.0], 0, 1.0).is_empty());
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.001, 4), "▏");
        assert_eq!(bar(2.0, 3), "███");
        assert_eq!(bar(0.0, 3), "");
        assert_eq!(bar(0.9, 2), "█▊");
    }

    #[test]
    fn axes_end_at_numbers_that_people_read() {
        let all: Vec<f64> = [0.0, 1.0, 1.1, 3.0, 7.0, 12.0, 480.0].into_iter().map(ceiling).collect();
        assert_eq!(all, [1.0, 1.0, 2.0, 5.0, 10.0, 20.0, 500.0]);
    }
}
