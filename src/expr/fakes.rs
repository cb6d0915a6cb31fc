//! Owns the functions that make up people, places and texts. Nothing that they give reaches a real
//! person: addresses and numbers are of the ranges that are kept free for examples.

use fake::Fake;
use fake::faker::address::en::{
    BuildingNumber, CityName, CountryCode, CountryName, StateName, StreetName,
};
use fake::faker::company::en::CompanyName;
use fake::faker::internet::en::{IPv4, IPv6, UserAgent};
use fake::faker::job::en::Title;
use fake::faker::lorem::en::{Paragraph, Sentence, Word};
use fake::faker::name::en::{FirstName, LastName};

use super::functions::Tools;
use super::{EvalError, Value};
use crate::random::Stream;

type Result = std::result::Result<Value, EvalError>;

fn text(text: impl AsRef<str>) -> Result {
    Ok(Value::Text(text.as_ref().into()))
}

pub(super) fn name(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let (first, last) = first_and_last(tools.random);
    text(format!("{first} {last}"))
}

fn first_and_last(random: &mut Stream) -> (String, String) {
    let first = FirstName().fake_with_rng(random.source());
    (first, LastName().fake_with_rng(random.source()))
}

pub(super) fn first_name(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(FirstName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn last_name(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(LastName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn company(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(CompanyName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn job(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(Title().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn city(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(CityName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn state(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(StateName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn country(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(CountryName().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn country_code(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(CountryCode().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn word(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(Word().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn sentence(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(Sentence(4..11).fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn paragraph(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(Paragraph(3..7).fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn ip(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(IPv4().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn ipv6(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(IPv6().fake_with_rng::<String, _>(tools.random.source()))
}

pub(super) fn user_agent(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(UserAgent().fake_with_rng::<String, _>(tools.random.source()))
}

/// Small letters and digits of a name, with a number, so that few of them are the same.
fn handle(random: &mut Stream) -> String {
    let (first, last) = first_and_last(random);
    let plain = |name: String| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    format!("{}.{}{}", plain(first), plain(last), random.between(1, 9999))
}

pub(super) fn username(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(handle(tools.random))
}

/// RFC 2606: the domains that nobody can have.
pub(super) fn email(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let handle = handle(tools.random);
    let domain = ["example.com", "example.org", "example.net"][tools.random.below(3)];
    text(format!("{handle}@{domain}"))
}

pub(super) fn password(_: &[Value], tools: &mut Tools<'_>) -> Result {
    const KINDS: [&[u8]; 4] =
        [b"abcdefghijkmnopqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"!#$%*+-_?"];
    // One of each kind comes first, so that common rules for passwords are kept.
    let signs = (0..14).map(|position| {
        let kind = KINDS.get(position).copied().unwrap_or_else(|| KINDS[tools.random.below(3)]);
        char::from(kind[tools.random.below(kind.len())])
    });
    text(signs.collect::<String>())
}

/// 555-0100 to 555-0199 are kept free for fiction in every area.
pub(super) fn phone(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let area = tools.random.between(201, 989);
    text(format!("+1-{area}-555-01{:02}", tools.random.between(0, 99)))
}

pub(super) fn street(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let number: String = BuildingNumber().fake_with_rng(tools.random.source());
    let street: String = StreetName().fake_with_rng(tools.random.source());
    text(format!("{number} {street}"))
}

pub(super) fn postcode(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(format!("{:05}", tools.random.between(501, 99_950)))
}

pub(super) fn url(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let words: [String; 2] = [(); 2].map(|()| Word().fake_with_rng(tools.random.source()));
    text(format!("https://example.com/{}/{}", words[0], words[1]))
}

pub(super) fn date(_: &[Value], tools: &mut Tools<'_>) -> Result {
    let first = jiff::civil::date(1970, 1, 1);
    let day = jiff::Span::new().days(tools.random.between(0, 22_279));
    text(first.saturating_add(day).to_string())
}

pub(super) fn boolean(_: &[Value], tools: &mut Tools<'_>) -> Result {
    Ok(Value::Bool(tools.random.below(2) == 1))
}

pub(super) fn color(_: &[Value], tools: &mut Tools<'_>) -> Result {
    text(format!("#{:06x}", tools.random.between(0, 0xff_ffff)))
}
