use super::*;
use crate::tui::facts::Health;
use crate::tui::samples::{applied, broken, change, changed, facts, refused};

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn typed(model: &mut Model, keys: &str) -> Option<Ask> {
    keys.chars().fold(None, |_, character| model.key(key(KeyCode::Char(character))))
}

fn selected(model: &Model) -> &str {
    model.selected().map_or("", |config| config.name.as_str())
}

#[test]
fn what_fails_is_selected_until_somebody_selects() {
    let mut model = Model::new(broken(facts(), "features"));
    assert_eq!(selected(&model), "features");
    model.learn(broken(facts(), "database"));
    assert_eq!(selected(&model), "database");
    assert_eq!(typed(&mut model, "k"), None);
    assert_eq!(selected(&model), "app");
    model.learn(broken(facts(), "features"));
    assert_eq!(selected(&model), "app");
}

#[test]
fn the_selection_keeps_to_its_configuration_and_to_what_there_is() {
    let mut model = Model::new(facts());
    typed(&mut model, "jjjjj");
    assert_eq!(selected(&model), "features");
    typed(&mut model, "k");
    let mut fewer = facts();
    fewer.configs.remove(0);
    model.learn(fewer.clone());
    assert_eq!((selected(&model), model.index()), ("database", Some(0)));
    fewer.configs.clear();
    model.learn(fewer);
    assert_eq!((selected(&model), model.index()), ("", None));
    typed(&mut model, "jkGg");
    assert_eq!(model.key(key(KeyCode::Enter)), None);
    assert_eq!((typed(&mut model, "h"), &model.pane), (None, &Pane::Overview));
    model.learn(facts());
    assert_eq!(selected(&model), "app");
}

#[test]
fn a_new_generation_is_a_change_of_that_moment_and_a_failure_is_none() {
    let mut model = Model::new(facts());
    model.at(Duration::from_secs(5));
    model.learn(broken(changed(facts(), "app", 2), "database"));
    assert_eq!(model.seen("app").changed, Some(Duration::from_secs(5)));
    assert_eq!(model.seen("database"), Seen::default());
    model.at(Duration::from_secs(9));
    model.learn(changed(facts(), "app", 2));
    assert_eq!(model.seen("app").changed, Some(Duration::from_secs(5)));
}

#[test]
fn nothing_is_drawn_for_an_age_that_is_the_same() {
    let by = |model: &Model, seconds| model.ages_by(Duration::from_secs(seconds));
    let mut model = Model::new(facts());
    assert!(!by(&model, 9), "nothing has an age");
    model.learn(changed(facts(), "app", 2));
    assert!(by(&model, 1));
    model.at(Duration::from_secs(60));
    assert!(!by(&model, 119) && by(&model, 120));
}

#[test]
fn a_reload_has_the_changes_that_were_told_before_it() {
    let mut model = Model::new(facts());
    model.record(&change("app", 2), "12:00:00".into());
    model.record(&change("database", 3), "12:00:00".into());
    model.reload(applied(&["app"], 2, 1900));
    let entries: Vec<&Entry> = model.log.newest_first().collect();
    let [Entry::Reload(_, changes)] = entries.as_slice() else { panic!("{entries:?}") };
    let rows: Vec<_> =
        changes.iter().map(|change| (change.config.as_str(), change.row.new.as_str())).collect();
    assert_eq!(rows, [("app", "8002")]);
    assert_eq!(model.seen("app").took, Some(Duration::from_micros(1900)));
    model.reload(applied(&["database"], 3, 1900));
    assert!(matches!(model.log.newest_first().next(), Some(Entry::Reload(_, changes)) if changes.len() == 1));
}

#[test]
fn only_what_no_reload_tells_is_news() {
    let file = |kind| Record::FileChanged { path: "a".into(), change_type: "created", from: None, kind };
    let mut model = Model::new(facts());
    let failed = Record::ValidationFailed {
        config_name: "app".into(),
        path: None,
        line: None,
        column: None,
        error: "bad".into(),
    };
    for record in [file("config"), failed, file("template"), Record::Lagged { missed: 3 }] {
        model.record(&record, "12:00:00".into());
    }
    let words = model.log.newest_first().map(|entry| match entry {
        Entry::News(news) => (news.word, news.health),
        Entry::Reload(..) => ("reload", Health::Good),
    });
    assert_eq!(words.collect::<Vec<_>>(), [("lagged", Health::Doubtful), ("created", Health::Good)]);
}

#[test]
fn the_log_and_the_changes_do_not_grow_for_ever() {
    let mut model = Model::new(facts());
    for generation in 0..1000 {
        model.record(&change("app", generation), "12:00:00".into());
        model.reload(refused("app", generation));
    }
    assert_eq!(model.log.newest_first().count(), 200);
    assert_eq!(model.of_selected().count(), 200);
}

#[test]
fn keys_that_end_it_end_it() {
    let control = |character| KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL);
    for ends in [key(KeyCode::Char('q')), key(KeyCode::Esc), control('c')] {
        assert_eq!(Model::new(facts()).key(ends), Some(Ask::Quit), "{ends:?}");
    }
    assert_eq!(Model::new(facts()).key(control('q')), None);
    assert_eq!(Model::new(facts()).key(control('l')), Some(Ask::Redraw));
}

#[test]
fn escape_goes_back_before_it_ends() {
    let mut model = Model::new(facts());
    model.key(key(KeyCode::Enter));
    assert_eq!(model.pane, Pane::Details);
    assert_eq!(model.key(key(KeyCode::Esc)), None);
    assert_eq!(model.pane, Pane::Overview);
    model.key(key(KeyCode::Enter));
    model.key(key(KeyCode::Enter));
    assert_eq!(model.pane, Pane::Overview);
}

#[test]
fn an_answer_is_for_whoever_still_waits_for_it() {
    let mut model = Model::new(facts());
    assert_eq!(typed(&mut model, "h"), Some(Ask::History("app".into())));
    model.revisions("database", Revisions::Kept(Vec::new()));
    assert_eq!(model.pane, Pane::History(Revisions::Awaited));
    model.revisions("app", Revisions::Kept(Vec::new()));
    assert_eq!(model.pane, Pane::History(Revisions::Kept(Vec::new())));
    model.key(key(KeyCode::Esc));
    model.revisions("app", Revisions::Refused("late".into()));
    assert_eq!(model.pane, Pane::Overview);
}

#[test]
fn a_reload_that_is_asked_for_is_awaited_on_the_screen() {
    let mut model = Model::new(facts());
    assert_eq!(typed(&mut model, "r"), Some(Ask::Reload));
    assert!(model.notice.is_some());
    model.reload(applied(&[], 1, 500));
    assert_eq!(model.notice, None);
}

#[test]
fn a_text_is_scrolled_to_its_end_and_no_further() {
    let mut model = Model::new(facts());
    model.key(key(KeyCode::Enter));
    typed(&mut model, "G");
    let end = model.scroll;
    assert!(end > 0);
    typed(&mut model, "j");
    assert_eq!(model.scroll, end);
    typed(&mut model, "gk");
    assert_eq!(model.scroll, 0);
    assert_eq!(selected(&model), "app");
}
