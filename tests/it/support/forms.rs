//! The forms of a page, as a browser would send them.

/// A form: where it leads, and its fields with their values.
#[derive(Clone, Debug)]
pub struct FormFields {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

/// Every form of a page, in its order; one with buttons that lead elsewhere is there for each of these, too.
pub fn forms(page: &str) -> Vec<FormFields> {
    let form = |text: &str| {
        let (tag, rest) = text.split_once('>').unwrap_or((text, ""));
        let mut content = rest.split("</form>").next().unwrap_or_default().to_owned();
        // What stands elsewhere on the page may belong to it all the same.
        let belongs = attribute(tag, "id").map(|id| format!(" form=\"{id}\""));
        let tags =
            page.split_inclusive('<').filter(|tag| belongs.as_ref().is_some_and(|belongs| tag.contains(belongs)));
        content.extend(tags.flat_map(|tag| ["<", tag, ">"]));
        let elsewhere = content.split('<').filter_map(|tag| attribute(tag.split('>').next()?, "formaction"));
        let actions: Vec<String> = attribute(tag, "action").into_iter().chain(elsewhere).collect();
        actions.into_iter().map(|action| FormFields { action, fields: fields(&content) }).collect::<Vec<_>>()
    };
    page.split("<form").skip(1).flat_map(form).collect()
}

fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (start, _) in form.match_indices('<') {
        let (tag, rest) = form[start + 1..].split_once('>').unwrap_or_default();
        let kind = tag.split(' ').next().unwrap_or_default();
        // A button that sends a form as it is fills it in and saves nothing.
        if kind == "button" && tag.contains(" formnovalidate") {
            continue;
        }
        let Some(name) = attribute(tag, "name").filter(|_| ["input", "select", "textarea", "button"].contains(&kind))
        else {
            continue;
        };
        let value = match kind {
            "select" => {
                let options: Vec<&str> =
                    rest.split("</select>").next().unwrap_or_default().split("<option").skip(1).collect();
                let tag = |option: &&str| option.split('>').next().unwrap_or_default().to_owned();
                let chosen = options.iter().map(tag).find(|tag| tag.contains(" selected"));
                chosen.or_else(|| options.first().map(tag)).and_then(|tag| attribute(&tag, "value"))
            }
            "textarea" => rest.split("</textarea>").next().map(unescape),
            _ => attribute(tag, "value"),
        };
        // Of several buttons or boxes of one name a browser sends what is pressed or ticked: here the first.
        if !fields.iter().any(|(known, _)| *known == name) {
            fields.push((name, value.unwrap_or_default()));
        }
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?;
    value.split('"').next().map(unescape)
}

/// The text of what askama escaped.
pub fn unescape(text: &str) -> String {
    let text = text.replace("&#38;", "&").replace("&#60;", "<").replace("&#62;", ">");
    text.replace("&#34;", "\"").replace("&#39;", "'")
}
