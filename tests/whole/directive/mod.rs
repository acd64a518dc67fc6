//! The directive in its own words: one story over HTTP, in the real roles and by the rules that are shipped, from the
//! first complaint to the digest and the histories.
//!
//! Complaints are received, and jobs run, on days of 2024; what people do is recorded today. The branch therefore has
//! not answered yet on any day of the story.

mod casework;
mod conduct;
mod guidance;
mod histories;
mod morning;
mod people;

use people::People;
use tests::TestApp;
use tests::fixtures::Files;

#[test]
fn the_directive_comes_true_in_its_own_words() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = app.filled(people::fill).arguments(&["--no-jobs", "--key-file", &key]).start();
        let people = People::of(&app);

        let first = casework::an_enterprise_complains_about_a_branch_that_blames_the_system(&people);
        casework::the_complaint_is_routed_to_the_headquarters_unit_of_the_field(&people, &first);
        casework::the_headquarters_unit_hands_it_to_the_branch_which_has_to_answer(&people, &first);
        casework::the_branch_is_late_and_is_escalated(&people, &first);
        casework::the_branch_stays_silent_and_the_general_department_is_told(&people, &first);
        casework::the_branch_answers_late(&people, &first);
        guidance::the_headquarters_unit_drafts_guidance_and_is_refused_without_the_boards_opinion(&people);
        guidance::the_board_gives_its_opinion_and_the_headquarters_unit_issues_the_guidance(&people);
        let four = casework::four_more_enterprises_complain_about_an_unnamed_officer(&people);

        let five = [vec![first.id.clone()], four].concat();
        conduct::the_board_adds_the_officer(&people, &five);
        morning::the_first_digest_tells_of_the_escalation_and_the_watch(&people);
        conduct::the_board_confirms_him_and_the_flag_rises_to_suspension_review(&people, &five);
        let flag = conduct::the_officer_explains(&people);
        conduct::the_head_decides_a_suspension_within_the_limits_of_the_law(&people, &flag);

        morning::the_digest_tells_it_all(&people, &files);
        histories::the_history_of_the_complaint_tells_every_step(&people, &first);
        histories::the_history_of_a_further_complaint_tells_every_step(&people, &five[1]);
        histories::the_history_of_the_officer_tells_every_step(&people, &flag);
        histories::the_history_of_the_unit_tells_every_step(&people);
        histories::the_officer_reads_nothing_of_the_own_case(&app, &five);
        histories::nothing_of_the_story_breaks_a_seal(&app, &key);
    }
}
