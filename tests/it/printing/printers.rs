//! `/printers`: on the store and over HTTP.

use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::printing::printers;
use tessera::store::printing::printers::Printer;
use tessera::store::{Connection, Error, settings};
use tessera::token::Micros;

use crate::support::app::App;
use crate::support::audit::audited;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::printing::anna;

#[test]
fn printers_are_saved_renamed_and_removed_by_their_names() {
    let database = Database::new();
    let mut connection = database.connect();
    let printer = |name: &str, offset_x| Printer { name: name.into(), offset_x, offset_y: -1_250, dpi: 600 };
    let save = |connection: &mut Connection, was: Option<&str>, printer: &Printer| {
        transaction(connection, |c| printers::save(c, was, printer, &anna(), Micros::now()))
    };
    let name = "HP \"Office\" <2>'; DROP TABLE printers --";
    save(&mut connection, None, &printer(name, 500)).unwrap();
    save(&mut connection, None, &printer(name, 700)).unwrap();
    save(&mut connection, None, &printer("Zebra", 0)).unwrap();
    let known = printers::find(&mut connection, name).unwrap().unwrap();
    assert_eq!((&known.printer, known.changed_by.as_str()), (&printer(name, 700), "user:anna"));
    save(&mut connection, Some(name), &printer("Office", 700)).unwrap();
    let taken = save(&mut connection, Some("Office"), &printer("Zebra", 1));
    assert!(matches!(taken, Err(Error::Refused(why)) if why.contains("Zebra")));
    assert!(matches!(save(&mut connection, Some(name), &printer("X", 1)), Err(Error::Refused(_))), "it is gone");
    transaction(&mut connection, |c| printers::remove(c, "Zebra", &anna(), Micros::now())).unwrap();
    let again = transaction(&mut connection, |c| printers::remove(c, "Zebra", &anna(), Micros::now()));
    assert!(matches!(again, Err(Error::Refused(_))));
    let names: Vec<String> =
        printers::all(&mut connection).unwrap().into_iter().map(|known| known.printer.name).collect();
    assert_eq!(names, ["Office"]);
    assert_eq!(settings::all(&mut connection).unwrap().settings.default_dpi, 300);
}

#[actix_web::test]
async fn whoever_may_print_sees_printers_and_editors_save_them() {
    let app = App::start().await;
    let mut editor = Browser::of(&app, Role::Editor).await;
    let name = "HP \"Office\" <2nd floor> & 'more'";
    let form = |offset, dpi| [("name", name), ("offset_x", offset), ("offset_y", "−1,25"), ("dpi", dpi)];
    editor.post("/printers", &form("0.5", "600")).await.check_leads_to("/printers?done=saved");
    assert_eq!(audited(&app)[0][1..3], ["printer save", name]);
    let list = editor.get("/printers?done=saved").await;
    list.check(200, &["HP &#34;Office&#34; &#60;2nd floor&#62;", "-1.25 mm", "600 dpi", "Printer saved."]);
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let seen = viewer.get("/printers").await;
    seen.check(200, &["HP &#34;Office&#34; &#60;2nd floor&#62;", "600 dpi"]);
    assert!(!seen.text.contains("/printers/") && !seen.text.contains("Add a printer"), "{}", seen.text);
    for path in ["/printers", "/printers/remove", "/sheet/calibrate"] {
        viewer.post(path, &form("0.5", "600")).await.check(403, &["Your role can't save printers"]);
    }
    let measure = viewer.get("/sheet/calibrate").await;
    measure.check(200, &["Open the test page", "Ask an editor or an administrator to enter the two distances"]);
    let edit = list.text.split("/printers/edit?name=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let edit = editor.get(&format!("/printers/edit?name={edit}")).await;
    edit.check(200, &["value=\"0.5\""]);
    assert_eq!(edit.field("was"), name);
    for (offset, dpi, field) in [
        ("20.001", "600", "offset_x-error"),
        ("x", "600", "offset_x-error"),
        ("0", "149", "dpi-error"),
        ("0", "1201", "dpi-error"),
    ] {
        editor.post("/printers", &form(offset, dpi)).await.check(422, &[field, "HP &#34;Office&#34;"]);
    }
    let nameless = [("name", " "), ("offset_x", "0"), ("offset_y", "0"), ("dpi", "300")];
    editor.post("/printers", &nameless).await.check(422, &["name-error"]);
    let known = [("was", name), ("was_offset_x", "0.5"), ("was_offset_y", "-1.25"), ("was_dpi", "600")];
    let with_known = |form: [(&'static str, &'static str); 4]| [&known[..], &form].concat();
    let renamed = with_known([("name", "Office"), ("offset_x", "-20"), ("offset_y", "20"), ("dpi", "300")]);
    editor.post("/printers", &renamed).await.check_leads_to("/printers?done=saved");
    editor.post("/printers", &renamed).await.check_leads_to("/printers?done=saved");
    let late = with_known([("name", "Late"), ("offset_x", "0"), ("offset_y", "0"), ("dpi", "300")]);
    editor.post("/printers", &late).await.check(422, &["Someone else renamed or removed the printer"]);
    editor.post("/printers/remove", &[("name", "Office")]).await.check_leads_to("/printers?done=removed");
    editor.post("/printers/remove", &[("name", "Office")]).await.check_leads_to("/printers?done=removed");
    editor.get("/printers/edit?name=Office").await.check(404, &[]);
    editor.get("/printers/edit?name=%00").await.check(404, &[]);
    let mut scanner = Browser::of(&app, Role::Scanner).await;
    scanner.get("/printers").await.check(403, &[]);
    scanner.post("/printers", &form("0", "300")).await.check(403, &[]);
}

#[actix_web::test]
async fn what_another_editor_has_measured_meanwhile_is_not_undone() {
    let app = App::start().await;
    let mut editor = Browser::of(&app, Role::Editor).await;
    let measured = |x, dpi| [("name", "Office"), ("offset_x", x), ("offset_y", "0"), ("dpi", dpi)];
    editor.post("/printers", &measured("0", "300")).await.check_leads_to("/printers?done=saved");
    let form = editor.get("/printers/edit?name=Office").await;
    let names = ["was", "was_offset_x", "was_offset_y", "was_dpi"];
    let known: Vec<(&str, String)> = names.map(|name| (name, form.field(name))).to_vec();
    let known: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    editor.post("/printers", &[&known[..], &measured("1.5", "300")].concat()).await.check_leads_to("/printers");

    editor.post("/printers", &[&known[..], &measured("0", "600")].concat()).await.check_leads_to("/printers");
    let form = editor.get("/printers/edit?name=Office").await;
    assert_eq!((form.field("offset_x"), form.field("dpi")), ("1.5".into(), "600".into()), "both changes are there");
    let both = editor.post("/printers", &[&known[..], &measured("2", "300")].concat()).await;
    both.check(409, &["Someone else changed this printer", "1.5 mm", "2 mm"]);
    assert_eq!((both.field("was_offset_x"), both.field("offset_x")), ("1.5".into(), "2".into()));
}
