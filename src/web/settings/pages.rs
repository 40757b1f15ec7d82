//! `/settings`: one form a setting, so that two managers seldom meet.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::backup::BackupView;
use super::fields::{RowButton, SettingsFields};
use super::form::{RowAction, SettingsForm, format_counts};
use crate::access::{Principal, who};
use crate::sheet::geometry::Sheet;
use crate::store::settings;
use crate::store::settings::{SaveResult, SettingChange, StoredSettings};
use crate::token::print::FIRST_SHEET;
use crate::token::settings::{CodeHolds, LIST_MAX, Setting, Settings};
use crate::token::{TokenError, UNLIMITED};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter, duration, grouped};
use crate::web::guard::{Allowed, Manage};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::params::{Form, Parts, Query};
use crate::web::state::App;
use crate::web::words;

#[derive(Template)]
#[template(path = "settings/settings.html")]
struct SettingsPage {
    page: Page,
    form: SettingsForm,
    errors: FormErrors,
    zone: String,
    organisation: SettingSection,
    uses: SettingSection,
    lock: SettingSection,
    ranges: SettingSection,
    counts: SettingSection,
    codes: SettingSection,
    log: SettingSection,
    sheet: SettingSection,
    dpi: SettingSection,
    runs: SettingSection,
    labels: SettingSection,
    /// The sheets that can be chosen.
    sheets: Vec<Choice>,
    /// The default sheet was removed; this one is meant instead.
    instead: Option<String>,
    more_ranges: bool,
    public_url: Option<String>,
    no_links: Option<&'static str>,
    backup: Option<BackupView>,
}

/// A setting's form, and what is around its fields.
struct SettingSection {
    name: &'static str,
    /// What the setting is, for the form to bring back.
    was: String,
    changed: Option<LastChange>,
    notice: Option<Notice>,
    is_refused: bool,
    conflict: Option<BothSides>,
    /// Under which name the browser keeps unsaved entries, and whether it brings them back.
    keep: String,
    restore: bool,
}

/// A change, and who made it.
struct LastChange {
    who: String,
    when: FormattedTime,
}

/// A setting as somebody else saved it meanwhile, and as the form has it.
struct BothSides {
    now: String,
    yours: String,
}

/// A form that was submitted, and its result.
enum Submitted {
    Nothing,
    Saved(Setting),
    Refused(Setting, SettingsForm, FormErrors),
    Conflict(Setting, SettingsForm, Settings),
    /// Not by now: its user had to sign in first.
    BroughtBack(SettingsForm),
}

impl SettingsPage {
    fn new(
        request: &HttpRequest,
        app: &App,
        (stored, sheets): (&StoredSettings, &[Sheet]),
        submitted: Submitted,
    ) -> Self {
        let clock = app.time_formatter();
        let page = Page::new(request, Section::Settings);
        let name = page.user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
        let section = |setting: Setting| SettingSection {
            name: setting.name(),
            was: stored.settings.json(setting),
            changed: stored.changed(setting).map(|changed| last_change(changed, clock)),
            notice: matches!(submitted, Submitted::Saved(saved) if saved == setting)
                .then(|| Notice::done(words::settings::SAVED)),
            is_refused: matches!(submitted, Submitted::Refused(refused, ..) if refused == setting),
            conflict: match &submitted {
                Submitted::Conflict(of, _, wanted) if *of == setting => {
                    Some(BothSides { now: in_words(setting, &stored.settings), yours: in_words(setting, wanted) })
                }
                _ => None,
            },
            keep: format!("{name} {}", setting.name()),
            restore: matches!(submitted, Submitted::Nothing | Submitted::BroughtBack(..)),
        };
        let [organisation, uses, lock, ranges, counts, codes, log, sheet, dpi, runs, labels] =
            Setting::ALL.map(section);
        let (form, errors) = match submitted {
            Submitted::Refused(_, form, errors) => (form, errors),
            Submitted::Conflict(_, form, _) | Submitted::BroughtBack(form) => (form, FormErrors::default()),
            Submitted::Nothing | Submitted::Saved(_) => (SettingsForm::of(&stored.settings), FormErrors::default()),
        };
        let named = |slug: &str| sheets.iter().find(|sheet| sheet.slug == slug).map(|sheet| sheet.name.clone());
        let is_gone = named(&stored.settings.default_sheet).is_none();
        let wants_links = stored.settings.code_holds == CodeHolds::Link;
        Self {
            page,
            sheets: Choice::list(sheets.iter().map(|sheet| (&*sheet.slug, &*sheet.name)), &form.default_sheet),
            instead: named(FIRST_SHEET).filter(|_| is_gone),
            more_ranges: form.ranges.len() < LIST_MAX,
            form,
            errors,
            zone: app.zone.to_string(),
            organisation,
            uses,
            lock,
            ranges,
            counts,
            codes,
            log,
            sheet,
            dpi,
            runs,
            labels,
            public_url: Some(app.public_url.to_string()).filter(|_| app.public_url.is_given),
            backup: stored.last_backup.as_ref().map(|backup| BackupView::new(backup, clock)),
            no_links: Some(words::settings::NO_LINKS).filter(|_| wants_links && !app.public_url.is_given),
        }
    }

    fn answer(self, app: &App, status: StatusCode) -> Result<HttpResponse, Error> {
        page(app, status, &self)
    }
}

fn last_change(changed: &SettingChange, clock: TimeFormatter) -> LastChange {
    LastChange { who: who(&changed.by), when: clock.format(changed.at) }
}

/// The value of a setting, in words.
fn in_words(setting: Setting, settings: &Settings) -> String {
    let list = |text: String| if text.is_empty() { words::settings::NONE.to_owned() } else { text };
    match setting {
        Setting::Organisation => list(settings.organisation.clone()),
        Setting::DefaultUsageCount if settings.default_usage_count == UNLIMITED => words::settings::UNLIMITED.into(),
        Setting::DefaultUsageCount => grouped(settings.default_usage_count),
        Setting::DefaultLockTime => duration(settings.default_lock_time),
        Setting::TimeRanges => {
            let ranges = settings.time_ranges.iter().map(ToString::to_string);
            list(ranges.collect::<Vec<_>>().join("; "))
        }
        Setting::QuickCounts => list(format_counts(&settings.quick_counts)),
        Setting::CodeHolds if settings.code_holds == CodeHolds::Link => words::settings::CODES_HOLD_LINKS.into(),
        Setting::CodeHolds => words::settings::CODES_HOLD_VALUES.into(),
        Setting::UsageDays => words::settings::days(settings.usage_days),
        Setting::DefaultSheet => settings.default_sheet.clone(),
        Setting::DefaultDpi => format!("{} dpi", grouped(settings.default_dpi)),
        Setting::PrintRunDays => words::settings::days(settings.print_run_days),
        Setting::LabelsPerDay => words::settings::labels(settings.labels_per_day),
    }
}

async fn stored_settings(app: &App) -> Result<StoredSettings, Error> {
    Ok(app.store.read_inline(|connection| Ok(settings::all(connection)?)).await?)
}

/// Shows the settings.
pub(crate) async fn show(
    _who: Allowed<Manage>,
    request: HttpRequest,
    Query(Parts((fields, done))): Query<Parts<(SettingsFields, Done)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let (stored, sheets) = (stored_settings(&app).await?, app.sheets().await?);
    if let Some((setting, form)) = SettingsForm::brought_back(&stored.settings, &fields) {
        let mut page = SettingsPage::new(&request, &app, (&stored, &sheets), Submitted::BroughtBack(form));
        page.set_known(setting, fields.was);
        return page.answer(&app, StatusCode::OK);
    }
    let submitted = Setting::named(&done.done).map_or(Submitted::Nothing, Submitted::Saved);
    SettingsPage::new(&request, &app, (&stored, &sheets), submitted).answer(&app, StatusCode::OK)
}

/// Saves one setting, or shows its form again.
pub(crate) async fn save(
    who: Allowed<Manage>,
    name: web::Path<String>,
    request: HttpRequest,
    Form(Parts((fields, button))): Form<Parts<(SettingsFields, RowButton)>>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let setting = Setting::named(&name).ok_or(Error::NotFound)?;
    // What the form knew shows whether somebody else changed the setting meanwhile.
    let known = fields.was.clone().ok_or_else(|| TokenError::unnamed("was"))?;
    let (current, sheets) = (stored_settings(&app).await?, app.sheets().await?);
    let mut form = SettingsForm::of(&current.settings);
    form.take(setting, &fields);
    let focus = focus(setting, &mut form, &button);
    let (wanted, errors) = settings_of_form(setting, &form, (&current.settings, &sheets), &app);
    let page = |current: &StoredSettings, submitted| SettingsPage::new(&request, &app, (current, &sheets), submitted);
    if !errors.is_empty() {
        let mut page = page(&current, Submitted::Refused(setting, form, errors));
        page.set_known(setting, Some(known));
        return page.answer(&app, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match save_setting(&app, setting, known, wanted.clone(), who.caller.principal).await? {
        SaveResult::Saved => Ok(see_other(&app, &format!("/settings?done={}#{focus}", setting.name()))),
        SaveResult::Conflict(current) => {
            page(&current, Submitted::Conflict(setting, form, wanted)).answer(&app, StatusCode::CONFLICT)
        }
    }
}

/// Does what a button of a time range does. Returns the id of the element to focus.
fn focus(setting: Setting, form: &mut SettingsForm, button: &RowButton) -> String {
    match RowAction::of(button) {
        Some(action) if setting == Setting::TimeRanges => action.apply(&mut form.ranges),
        _ if setting == Setting::TimeRanges && !form.new_range.is_empty() => "name-new".into(),
        _ => format!("setting-{}", setting.name()),
    }
}

async fn save_setting(
    app: &App,
    setting: Setting,
    known: String,
    wanted: Settings,
    by: Principal,
) -> Result<SaveResult, Error> {
    let now = app.store.now();
    let save = app.store.write(move |connection| settings::change(connection, setting, (&known, &wanted), &by, now));
    let result = save.await;
    // Also after an error: the setting may have been saved.
    app.settings.forget();
    Ok(result?)
}

/// The settings with the one that the form changes, and the errors of the form.
fn settings_of_form(
    setting: Setting,
    form: &SettingsForm,
    (now, sheets): (&Settings, &[Sheet]),
    app: &App,
) -> (Settings, FormErrors) {
    let mut errors = FormErrors::default();
    let wanted = form.to_settings(setting, now, &mut errors);
    if setting == Setting::CodeHolds && wanted.code_holds == CodeHolds::Link && !app.public_url.is_given {
        errors.add("code_holds", words::settings::LINK_NEEDS_URL);
    }
    let is_known = sheets.iter().any(|sheet| sheet.slug == wanted.default_sheet);
    if setting == Setting::DefaultSheet && !is_known && errors.is_empty() {
        errors.add("default_sheet", words::settings::SHEET_GONE);
    }
    (wanted, errors)
}

impl SettingsPage {
    /// The form still holds what it knew: a change by somebody else is found when it is saved.
    fn set_known(&mut self, setting: Setting, known: Option<String>) {
        if let Some(known) = known {
            self.section(setting).was = known;
        }
    }

    fn section(&mut self, setting: Setting) -> &mut SettingSection {
        match setting {
            Setting::Organisation => &mut self.organisation,
            Setting::DefaultUsageCount => &mut self.uses,
            Setting::DefaultLockTime => &mut self.lock,
            Setting::TimeRanges => &mut self.ranges,
            Setting::QuickCounts => &mut self.counts,
            Setting::CodeHolds => &mut self.codes,
            Setting::UsageDays => &mut self.log,
            Setting::DefaultSheet => &mut self.sheet,
            Setting::DefaultDpi => &mut self.dpi,
            Setting::PrintRunDays => &mut self.runs,
            Setting::LabelsPerDay => &mut self.labels,
        }
    }
}
