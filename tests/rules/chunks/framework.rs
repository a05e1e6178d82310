//! How frameworks name pieces of a cookie, and join them: after their own code, and without the core's.

/// What stands before a piece's number, and the first number.
pub fn naming(chunks: &str) -> (&'static str, usize) {
    match chunks {
        "h3" => (".", 1),
        "auth0" => ("__", 0),
        _ => (".", 0),
    }
}

/// JavaScript's `parseInt`, as far as names of cookies can have it.
fn parse_int(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        _ => (10, digits),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    i64::from_str_radix(&digits[..end], radix)
        .ok()
        .map(|n| sign * n)
}

/// What a framework reads of a Cookie header: the first of a name counts, as in the package `cookie`.
pub fn read(chunks: &str, cookie: &str, header: &str) -> Option<String> {
    let mut cookies: Vec<(&str, &str)> = Vec::new();
    for pair in header.split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        if !cookies.iter().any(|(known, _)| *known == name) {
            cookies.push((name, value));
        }
    }
    let get = |name: &str| {
        let found = cookies.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, value)| *value)
            .filter(|value| !value.is_empty())
    };
    let joined = match chunks {
        "auth.js" => {
            let mut all: Vec<(&str, &str)> = cookies.clone();
            all.retain(|(name, value)| name.starts_with(cookie) && !value.is_empty());
            let number = |name: &str| parse_int(name.rsplit('.').next().unwrap_or("0"));
            all.sort_by(|(a, _), (b, _)| match (number(a), number(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => std::cmp::Ordering::Equal, // NaN
            });
            all.iter().map(|(_, value)| *value).collect()
        }
        "h3" => match get(cookie)?.strip_prefix("__chunked__") {
            None => get(cookie)?.to_owned(),
            Some(count) => (1..=parse_int(count)?)
                .map(|n| get(&format!("{cookie}.{n}")))
                .collect::<Option<String>>()?,
        },
        "supabase" => match get(cookie) {
            Some(value) => value.to_owned(),
            None => (0..).map_while(|n| get(&format!("{cookie}.{n}"))).collect(),
        },
        _ => {
            if let Some(value) = get(cookie) {
                return Some(value.to_owned());
            }
            let digits = |name: &str| {
                let digits = name.strip_prefix(cookie)?.strip_prefix("__")?;
                let is_it = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                is_it.then(|| digits.parse::<usize>().ok())?
            };
            let mut all: Vec<(usize, &str)> = cookies
                .iter()
                .filter_map(|(name, value)| Some((digits(name)?, *value)))
                .collect();
            all.sort_by_key(|(number, _)| *number);
            if all.last()?.0 + 1 != all.len() {
                return None;
            }
            all.iter().map(|(_, value)| *value).collect()
        }
    };
    Some(joined).filter(|joined| !joined.is_empty())
}
