//! `/sheets`: label sheets of our own, on the store and over HTTP.

use tessera::access::{Principal, Role};
use tessera::store::connection::transaction;
use tessera::store::printing::sheets;
use tessera::store::printing::sheets::{Measures, SheetChange};
use tessera::store::{Connection, Error};
use tessera::token::Micros;

use crate::support::app::App;
use crate::support::audit::audited;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::printing::{anna, measures};
use crate::support::settings::save_setting;

#[test]
fn own_sheets_have_slugs_of_their_own_and_keep_them() {
    let database = Database::new();
    let mut connection = database.connect();
    let is_preset = |slug: &str| slug == "avery-l7160";
    let add = |connection: &mut Connection, name: &str| {
        transaction(connection, |c| sheets::add(c, &measures(name), is_preset, &anna(), Micros::now()))
    };
    let slugs =
        ["Avery L7160", "Kärtchen <1>", "Kartchen 1", "Ярлык", "標籤"].map(|name| add(&mut connection, name).unwrap());
    assert_eq!(slugs, ["avery-l7160-2", "kartchen-1", "kartchen-1-2", "sheet", "sheet-2"]);
    assert!(matches!(add(&mut connection, "Ярлык"), Err(Error::Refused(why)) if why.contains("Ярлык")));
    let known = sheets::find(&mut connection, "kartchen-1").unwrap().unwrap();
    assert_eq!(known.measures, measures("Kärtchen <1>"));
    assert_eq!(sheets::find(&mut connection, "avery-l7160").unwrap(), None);

    let wanted = Measures { name: "Other".into(), margin: 0, ..known.measures.clone() };
    let change = |connection: &mut Connection, known: Micros, wanted: &Measures| {
        transaction(connection, |c| sheets::change(c, "kartchen-1", known, wanted, &anna(), Micros::now()))
    };
    assert!(matches!(change(&mut connection, known.changed, &wanted), Ok(SheetChange::Saved)));
    assert!(matches!(change(&mut connection, known.changed, &wanted), Ok(SheetChange::Saved)), "it is so already");
    let conflict = change(&mut connection, known.changed, &measures("Mine"));
    assert!(matches!(conflict, Ok(SheetChange::Conflict(now)) if now.measures == wanted));
    let now = sheets::find(&mut connection, "kartchen-1").unwrap().unwrap();
    assert!(matches!(change(&mut connection, now.changed, &measures("Ярлык")), Err(Error::Refused(_))));

    sheets::remember_label(&mut connection, &anna(), "kartchen-1", 5).unwrap();
    sheets::remember_label(&mut connection, &anna(), "kartchen-1", 7).unwrap();
    sheets::remember_label(&mut connection, &Principal::user("bob"), "sheet", 2).unwrap();
    assert_eq!(sheets::next_label(&mut connection, &anna(), "kartchen-1").unwrap(), Some(7));
    assert_eq!(sheets::next_label(&mut connection, &anna(), "sheet").unwrap(), None);
    assert_eq!(sheets::next_labels(&mut connection, &anna()).unwrap(), [("kartchen-1".to_owned(), 7)]);
    transaction(&mut connection, |c| sheets::remove(c, "kartchen-1", &anna(), Micros::now())).unwrap();
    assert_eq!(sheets::next_label(&mut connection, &anna(), "kartchen-1").unwrap(), None);
    let again = transaction(&mut connection, |c| sheets::remove(c, "kartchen-1", &anna(), Micros::now()));
    assert!(matches!(again, Err(Error::Refused(_))));
    assert!(matches!(change(&mut connection, now.changed, &wanted), Ok(SheetChange::Gone)));
    assert_eq!(sheets::all(&mut connection).unwrap().len(), 4);
}

const SHEET: [(&str, &str); 12] = [
    ("name", "Kärtchen <\"7\">"),
    ("columns", "3"),
    ("rows", "7"),
    ("page_width", "210"),
    ("page_height", "297"),
    ("width", "63,5"),
    ("height", "38.1"),
    ("left", "7.2"),
    ("top", "15.15"),
    ("pitch_x", "66.04"),
    ("pitch_y", "38.1"),
    ("margin", "5"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let rest = SHEET.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    rest.chain(changes.iter().copied()).collect()
}

#[actix_web::test]
async fn own_sheets_are_added_changed_and_removed() {
    let app = App::start().await;
    let mut manager = Browser::of(&app, Role::Manager).await;
    manager.get("/sheets").await.check(200, &["Avery L7160", "None yet", "stroke-dasharray", "3 × 7"]);
    manager.get("/sheets/add?from=avery-l7160").await.check(200, &["mm (copy)", "value=\"66.04\""]);
    manager.get("/sheets/add?from=roll").await.check(200, &["value=\"Roll\"", "sheet-picture"]);
    manager.post("/sheets/add", &with(&[("do", "draw")])).await.check(200, &["3 by 7 labels", "value=\"63,5\""]);
    assert!(sheets::all(&mut app.connection()).unwrap().is_empty(), "it was only drawn");
    manager.post("/sheets/add", &with(&[])).await.check_leads_to("/sheets?done=added");
    assert_eq!(audited(&app)[0][1..3], ["sheet add", "kartchen-7"]);
    manager.post("/sheets/add", &with(&[])).await.check(422, &["There is a sheet Kärtchen"]);
    manager
        .get("/sheets?done=added")
        .await
        .check(200, &["Kärtchen &#60;&#34;7&#34;&#62;", "/sheets/kartchen-7/remove"]);

    let wrong = with(&[("columns", "4"), ("rows", "x"), ("pitch_y", ""), ("name", "")]);
    manager.post("/sheets/add", &wrong).await.check(422, &["rows-error", "pitch_y-error", "enter millimetres"]);
    manager.post("/sheets/add", &with(&[("columns", "4")])).await.check(422, &["columns-error", "210 mm"]);
    manager.post("/sheets/add", &with(&[("width", "70")])).await.check(422, &["would overlap"]);
    let one = with(&[("name", "Add"), ("columns", "1"), ("rows", "1"), ("pitch_x", ""), ("pitch_y", "")]);
    manager.post("/sheets/add", &one).await.check_leads_to("/sheets?done=added");
    manager.get("/sheets/add-2").await.check(200, &["value=\"Add\""]);

    let form = manager.get("/sheets/kartchen-7").await;
    let known = form.field("known");
    let change = |margin| with(&[("known", known.as_str()), ("margin", margin)]);
    manager.post("/sheets/kartchen-7", &change("4")).await.check_leads_to("/sheets?done=changed");
    let late = manager.post("/sheets/kartchen-7", &change("3")).await;
    late.check(409, &["manager changed this label sheet in the meantime", "value=\"3\""]);
    let again = with(&[("known", &late.field("known")), ("margin", "3")])
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect::<Vec<_>>();
    let again: Vec<(&str, &str)> = again.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    manager.post("/sheets/kartchen-7", &again).await.check_leads_to("/sheets?done=changed");
    manager.post("/sheets/kartchen-7", &with(&[])).await.check(400, &["known"]);

    // As the default it is meant until it is removed; then another one is.
    save_setting(&mut manager, "default_sheet", &[("default_sheet", "kartchen-7")])
        .await
        .check_leads_to("/settings?done=");
    save_setting(&mut manager, "default_sheet", &[("default_sheet", "nothing")]).await.check(422, &["was removed"]);
    save_setting(&mut manager, "default_dpi", &[("default_dpi", "100")]).await.check(422, &["from 150 to 1,200"]);
    save_setting(&mut manager, "default_dpi", &[("default_dpi", "600")])
        .await
        .check_leads_to("/settings?done=default_dpi");
    manager.get("/sheets/kartchen-7/remove").await.check(200, &["Remove this label sheet?"]);
    manager.post("/sheets/kartchen-7/remove", &[]).await.check_leads_to("/sheets?done=removed");
    manager.get("/settings").await.check(200, &["The chosen label sheet was removed", "Avery L7160"]);
    for path in ["/sheets/kartchen-7", "/sheets/avery-l7160", "/sheets/avery-l7160/remove", "/sheets/%00"] {
        manager.get(path).await.check(404, &[]);
    }
    manager.get("/audit").await.check(200, &["added the label sheet", "removed the label sheet"]);
    let mut admin = Browser::of(&app, Role::Admin).await;
    admin.get("/sheets").await.check(403, &["Only managers"]);
    admin.post("/sheets/add", &with(&[])).await.check(403, &[]);
}
