//! "Did you mean".

/// "Did you mean", or the whole choice where it is short.
pub(crate) fn suggest(name: &str, known: &[&str]) -> Option<String> {
    let nearest = known.iter().map(|candidate| (distance(name, candidate), *candidate)).min()?;
    let length = name.chars().count();
    // Of two letters anything is near anything.
    let near = if length < 3 { 0 } else { 2.max(length / 3).min(length - 2) };
    if nearest.0 <= near {
        return Some(format!("did you mean `{}`?", nearest.1));
    }
    (known.len() <= 40).then(|| {
        let known: Vec<&str> = known.iter().copied().filter(|known| !known.is_empty()).collect();
        format!("there are {}", known.join(", "))
    })
}

/// Edits between two words (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, r) in right.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            let before = row.get(j).copied().unwrap_or_default();
            let cost = (diagonal + usize::from(l != *r)).min(above + 1).min(before + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = cost;
            }
        }
    }
    row.last().copied().unwrap_or_default()
}
