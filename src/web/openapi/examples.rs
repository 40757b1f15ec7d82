//! Requests in curl, Python and JavaScript that work when pasted. The key comes from the environment.

use serde_json::Value;

use super::content::Code;
use super::model::View;
use super::schema::IN_PATH;
use crate::token::Uid;

/// The environment variable that has the key.
const KEY: &str = "TESSERA_KEY";
/// The file of the examples.
const FILE: (&str, &str) = ("photo.png", "image/png");

/// A request of an example.
struct Call {
    url: String,
    is_post: bool,
    /// Headers besides the key.
    headers: Vec<(&'static str, String)>,
    body: Body,
}

enum Body {
    None,
    Params(Vec<(String, Value)>),
    File,
}

/// A request to a view at a server, in each language.
pub(super) fn of_view(view: &View, server: &str) -> Vec<Code> {
    let call = Call::new(view, server);
    vec![
        Code { language: "sh", name: "curl", text: call.curl() },
        Code { language: "python", name: "Python", text: call.python() },
        Code { language: "js", name: "JavaScript", text: call.javascript() },
    ]
}

impl Call {
    fn new(view: &View, server: &str) -> Self {
        let path = view.path.replace("{uid}", &Uid::example().to_string());
        let mut headers = Vec::new();
        let body = match (&view.input, view.file) {
            (_, Some(_)) => Body::File,
            (Some(input), _) => {
                let example = |name: &&str| Some(((*name).to_owned(), input.example.get(*name)?.clone()));
                let in_path = |name: &str| {
                    view.has_path_uid() && input.schema.pointer(&format!("/properties/{name}/{IN_PATH}")).is_some()
                };
                Body::Params(view.names.iter().filter(|name| !in_path(name)).filter_map(example).collect())
            }
            _ => Body::None,
        };
        match body {
            Body::File => headers.push(("Content-Type", FILE.1.to_owned())),
            Body::Params(_) if view.has_body() => headers.push(("Content-Type", "application/json".to_owned())),
            _ => {}
        }
        headers.extend(view.takes_key.then(|| ("Idempotency-Key", idempotency_key(view))));
        Self { url: format!("{server}{path}"), is_post: view.has_body(), headers, body }
    }

    fn curl(&self) -> String {
        let mut lines = vec![format!("curl {}{}", if self.is_post { "" } else { "-G " }, self.url)];
        lines.push(format!("-H \"Authorization: Bearer ${KEY}\""));
        lines.extend(self.headers.iter().map(|(name, value)| format!("-H \"{name}: {value}\"")));
        match &self.body {
            // Not `-X POST`, which sends no length: proxies that speak HTTP/1.0 pass that on, and it is refused.
            Body::None => lines.extend(self.is_post.then(|| "-d ''".to_owned())),
            Body::File => lines.push(format!("--data-binary @{}", FILE.0)),
            Body::Params(params) if self.is_post => {
                lines.push(format!("-d '{}'", object(params, "  ").replace('\'', "'\\''")));
            }
            Body::Params(params) => {
                lines
                    .extend(params.iter().map(|(name, value)| format!("--data-urlencode \"{name}={}\"", plain(value))));
            }
        }
        lines.join(" \\\n  ")
    }

    fn python(&self) -> String {
        let mut url = format!("{:?}", self.url);
        let mut import = "import json, os, urllib.request";
        let data = match &self.body {
            Body::File => format!("    data=open({:?}, \"rb\").read(),\n", FILE.0),
            Body::Params(params) if self.is_post => {
                format!("    data=json.dumps({}).encode(),\n", object(params, "    "))
            }
            Body::Params(params) => {
                import = "import json, os, urllib.parse, urllib.request";
                url = format!("{:?} + urllib.parse.urlencode({})", format!("{}?", self.url), object(params, "    "));
                String::new()
            }
            Body::None => "    data=b\"\",\n".into(),
        };
        let headers = self.headers.iter().map(|(name, value)| format!("        {name:?}: {value:?},\n"));
        format!(
            "{import}\n\nrequest = urllib.request.Request(\n    {url},\n{data}    headers={{\n        \
             \"Authorization\": \"Bearer \" + os.environ[\"{KEY}\"],\n{}    }},\n)\n\
             with urllib.request.urlopen(request) as answer:\n    print(json.load(answer))",
            headers.collect::<String>()
        )
    }

    fn javascript(&self) -> String {
        let mut url = format!("{:?}", self.url);
        let body = match &self.body {
            Body::File => format!("  body: await (await import(\"node:fs/promises\")).readFile({:?}),\n", FILE.0),
            Body::Params(params) if self.is_post => format!("  body: JSON.stringify({}),\n", object(params, "  ")),
            Body::Params(params) => {
                url = format!("{:?} + new URLSearchParams({})", format!("{}?", self.url), object(params, "  "));
                String::new()
            }
            Body::None => String::new(),
        };
        let headers = self.headers.iter().map(|(name, value)| format!("    {name:?}: {value:?},\n"));
        format!(
            "const answer = await fetch({url}, {{\n{}  headers: {{\n    Authorization: `Bearer ${{process.env.{KEY}}}`,\n{}  \
             }},\n{body}}});\nconsole.log(answer.status, await answer.json());",
            if self.is_post { "  method: \"POST\",\n" } else { "" },
            headers.collect::<String>()
        )
    }
}

/// Each view has one of its own: an undo is no repeated use.
/// A key as a program would make it: another one for each request.
pub(super) fn idempotency_key(view: &View) -> String {
    format!("order-4711-{}", view.name.replace('_', "-"))
}

/// An object in JSON, which Python and JavaScript read as well: in a line if it is short.
fn object(params: &[(String, Value)], indent: &str) -> String {
    let fields: Vec<String> = params.iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
    let line = format!("{{{}}}", fields.join(", "));
    if line.len() <= 60 {
        return line;
    }
    format!("{{\n{indent}  {}\n{indent}}}", fields.join(&format!(",\n{indent}  ")))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A token is added, and used once.
pub(super) fn first_steps(server: &str) -> Vec<Code> {
    let fill = |text: &str| text.replace("SERVER", server).trim().to_owned();
    vec![
        Code { language: "sh", name: "curl", text: fill(FIRST_CURL) },
        Code { language: "python", name: "Python", text: fill(FIRST_PYTHON) },
        Code { language: "js", name: "JavaScript", text: fill(FIRST_JAVASCRIPT) },
    ]
}

const FIRST_CURL: &str = r#"
# Add a token that can be used three times. The answer has its uid.
ANSWER=$(curl -sS SERVER/add_token \
  -H "Authorization: Bearer $TESSERA_KEY" \
  -d valid_from= -d valid_to= -d usage_count=3 -d lock_time=0)
echo "$ANSWER"

# Use it once.
TOKEN=$(echo "$ANSWER" | grep -oE '[0-9a-f-]{36}')
curl -d '' "SERVER/$TOKEN/consume_token" \
  -H "Authorization: Bearer $TESSERA_KEY"
"#;

const FIRST_PYTHON: &str = r#"
import json, os, urllib.error, urllib.request

def call(view, **parameters):
    request = urllib.request.Request(
        "SERVER/" + view,
        data=json.dumps(parameters).encode(),
        headers={
            "Authorization": "Bearer " + os.environ["TESSERA_KEY"],
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)

# Add a token that can be used three times, and use it once.
added = call("add_token", valid_from="", valid_to="", usage_count=3, lock_time=0)
print(added)
print(call("consume_token", token_uid=added["token_uid"]))
"#;

const FIRST_JAVASCRIPT: &str = r#"
async function call(view, parameters) {
  const answer = await fetch("SERVER/" + view, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${process.env.TESSERA_KEY}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(parameters),
  });
  return answer.json();
}

// Add a token that can be used three times, and use it once.
const added = await call("add_token", { valid_from: "", valid_to: "", usage_count: 3, lock_time: 0 });
console.log(added);
console.log(await call("consume_token", { token_uid: added.token_uid }));
"#;
