//! *CSV and XLSX of what I see*.

use super::Visitor;
use schema::enums::Role;
use tests::TestApp;

#[test]
fn a_list_is_a_file_with_the_same_filter() {
    let app = TestApp::sqlite().world().start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    assert!(visitor.get("/complaints").text.contains("mỗi bảng nhiều nhất 200 dòng"), "a file may not hold everything");
    let csv = visitor.get("/complaints?as=csv");
    assert_eq!(csv.status, 200);
    assert!(csv.content_type.starts_with("text/csv") && csv.header("content-disposition").contains("complaints.csv"));
    assert!(csv.text.lines().count() > 2, "{}", csv.text);
    let none = visitor.get("/complaints?until=1999-12-31&as=csv");
    assert_eq!(none.text.lines().count(), 1, "only the header: {}", none.text);
    assert_eq!((csv.header("x-content-type-options"), csv.header("cache-control")), ("nosniff", "private, no-store"));
    let wrong = visitor.get("/complaints?from=yesterday&as=csv");
    assert_eq!((wrong.status, wrong.header("content-disposition")), (422, ""), "a file would hide why it is empty");
    let other = visitor.get("/complaints?as=csv&table=nowhere");
    assert_eq!(other.status, 404);
    let mut anonymous = Visitor::of(app.server());
    assert_eq!(anonymous.get("/complaints?as=csv").status, 303);
}
