//! Sheets of leaders and commitments: read into rows, or refused with every problem and its place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use advis::domain::commitment::Status;
use advis::domain::leader::{Language, Period};
use advis::domain::window::{Confidence, Deadline, Undated, Window};
use advis::intake::{self, DeadlineCell, Known, Promise, Sheets, SourceFile, Titles};
use chrono::NaiveDate;
use proptest::prelude::*;

const KINDS: [&str; 3] = ["status", "follow_up", "milestone"];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn read(files: &[(&str, &[u8])]) -> Result<Sheets, Vec<String>> {
    let files: Vec<SourceFile<'_>> =
        files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    intake::read(&files)
        .map_err(|problems| problems.iter().map(|problem| problem.to_string()).collect())
}

#[track_caller]
fn accepted(files: &[(&str, &str)]) -> Sheets {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, text)| (*n, text.as_bytes())).collect();
    read(&files).unwrap_or_else(|problems| panic!("refused: {problems:#?}"))
}

#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> Vec<String> {
    read(&[(name, bytes)]).map(|sheets| panic!("accepted: {sheets:?}")).unwrap_err()
}

/// One leader a line: `cells` under reference, name, email and `columns`.
fn leaders(columns: &str, rows: &[&str]) -> String {
    format!("reference,name,email{columns}\n{}\n", rows.join("\n"))
}

fn commitments(columns: &str, rows: &[&str]) -> String {
    format!("reference,title,deadline,responsible{columns}\n{}\n", rows.join("\n"))
}

/// Reads nothing but `31. april`, which does not exist, and `marts`, against the reference date.
fn fake(phrase: &str, reference: NaiveDate) -> Result<Deadline, Undated> {
    match phrase {
        "31. april" => Err(Undated::NoSuchDate),
        "29. februar" if reference < day("2020-01-01") => Err(Undated::NoSuchDate),
        "marts" => Ok(Deadline {
            windows: vec![Window::span(day("2020-03-01"), day("2020-03-31"))],
            recurrence: None,
            confidence: Confidence::AssumedYear,
        }),
        _ => Err(Undated::NoDateGiven),
    }
}

fn checked(sheets: &Sheets, stored: &[(&str, Option<&str>)]) -> Vec<String> {
    let leaders: BTreeMap<String, Option<String>> = stored
        .iter()
        .map(|(leader, manager)| ((*leader).to_owned(), manager.map(str::to_owned)))
        .collect();
    let known = Known { leaders: &leaders, kinds: &KINDS, today: day("2019-06-01") };
    intake::check(sheets, &known, fake).iter().map(ToString::to_string).collect()
}

#[test]
fn a_row_of_leaders_holds_the_values_of_its_cells() {
    let sheets = accepted(&[(
        "ledere.csv",
        "reference;name;email;role;unit;manager;deputy;language;active_from;active_to;absent_from;absent_to\n\
         fjord;  Bente  Fjord ;bente@søby.example;Områdechef;;top;vig;EN;1.8.2019;;2020-02-03;29.02.2020\n",
    )]);
    let row = &sheets.leaders[0];
    assert_eq!(row.place.to_string(), "ledere.csv:2");
    assert_eq!((row.reference.as_str(), row.name.as_str()), ("fjord", "Bente Fjord"));
    assert_eq!(row.email.as_str(), "bente@xn--sby-0na.example");
    assert_eq!((row.role.as_deref(), row.unit.as_deref()), (Some("Områdechef"), None));
    assert_eq!((row.manager.as_deref(), row.deputy.as_deref()), (Some("top"), Some("vig")));
    assert_eq!(row.language, Some(Language::English));
    assert_eq!(row.active, Period { from: Some(day("2019-08-01")), to: None });
    assert_eq!(row.absent, Period { from: Some(day("2020-02-03")), to: Some(day("2020-02-29")) });
}

#[test]
fn a_row_of_commitments_holds_the_values_of_its_cells() {
    let sheets = accepted(&[(
        "aftaler.csv",
        "reference\ttitle\tkind\tdeadline\tresponsible\torganisation\tdocument\tdocument_date\tsection\tquote\tconfidential\tstatus\tadopted_on\n\
         B-1\tRamper ved  havnen\tstatus\tultimo marts 2020\tfjord; vig ;\tSøby\tReferat\t2019-05-15\tPunkt 4\t\"Ramper\r\nbygges\"\tJa\tUdført\t15.5.2019\n",
    )]);
    let row = &sheets.commitments[0];
    assert_eq!(row.title, "Ramper ved havnen");
    assert_eq!(row.kind.as_deref(), Some("status"));
    assert_eq!(row.deadline, "ultimo marts 2020");
    assert_eq!(row.responsible, ["fjord", "vig"]);
    assert_eq!(row.organisation.as_deref(), Some("Søby"));
    assert_eq!(row.document.as_deref(), Some("Referat"));
    assert_eq!(row.document_date, Some(day("2019-05-15")));
    assert_eq!(row.section.as_deref(), Some("Punkt 4"));
    assert_eq!(row.quote.as_deref(), Some("Ramper\nbygges"));
    assert_eq!(row.confidential, Some(true));
    assert_eq!(row.status, Some(Status::Done));
    assert_eq!(row.adopted_on, Some(day("2019-05-15")));
}

#[test]
fn absent_columns_and_empty_cells_leave_no_value() {
    let sheets = accepted(&[("a.csv", &commitments(",kind,status", &["B-1,Ramper,-,fjord,,"]))]);
    let row = &sheets.commitments[0];
    assert_eq!((&row.kind, row.status, row.confidential), (&None, None, None));
    assert_eq!(row.deadline, "-");
}

#[test]
fn files_are_known_by_their_header_in_any_order_and_number() {
    let sheets = accepted(&[
        ("1.csv", &commitments("", &["B-1,Ramper,marts,fjord"])),
        ("2.csv", "\u{feff}EMAIL;Reference;\"name\"\r\nvig@soeby.example;vig;Ib Vig\r\n"),
        ("3.csv", &commitments("", &["B-2,Broen,marts,vig"])),
        ("4.csv", &leaders("", &["fjord,Bente Fjord,bente@soeby.example"])),
        ("5.csv", "reference,title,deadline,responsible"),
    ]);
    let of = |rows: Vec<&str>| rows.join(" ");
    assert_eq!(of(sheets.leaders.iter().map(|row| &*row.reference).collect()), "vig fjord");
    assert_eq!(of(sheets.commitments.iter().map(|row| &*row.reference).collect()), "B-1 B-2");
}

#[test]
fn the_separator_is_the_one_that_parts_the_names_of_the_header() {
    for separator in [",", ";", "\t"] {
        let text = commitments("", &["B-1,Ramper,marts,fjord"]).replace(',', separator);
        assert_eq!(accepted(&[("a.csv", &text)]).commitments[0].title, "Ramper");
    }
    let text = "reference;title;\"a,b,c,d,e,f,g\";deadline;responsible\n";
    let problems = refused("a.csv", text.as_bytes());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("column \"a,b,c,d,e,f,g\": this column is not known"));
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "\n\nreference,title,deadline,responsible,quote\n\
             B-1,Ramper,marts,fjord,\"en\nto\n\ntre\"\n\n,,,,\n\
             B-2,Broen,marts,fjord,\"fire\"\nB-3,Molen,marts,fjord,fem"
            .replace('\n', end);
        let sheets = accepted(&[("a.csv", &text)]);
        let lines: Vec<u64> = sheets.commitments.iter().map(|row| row.place.line).collect();
        assert_eq!(lines, [4, 10, 11], "{end:?}");
        assert_eq!(sheets.commitments[0].quote.as_deref(), Some("en\nto\n\ntre"), "{end:?}");
    }
}

#[test]
fn cells_are_compared_composed_and_without_invisible_marks() {
    let text = commitments(
        ",section",
        &["B-1,\u{200e}Ska\u{30a}l\u{a0} og\tå,\" 1. maj\u{b}2. juni \",fjord,\"en\nto\""],
    );
    let row = &accepted(&[("a.csv", &text)]).commitments[0];
    assert_eq!(row.title, "Skål og å");
    assert_eq!(row.deadline, "1. maj\n2. juni");
    assert_eq!(row.section.as_deref(), Some("en to"));
}

#[test]
fn names_are_cleaned_without_a_word_unless_nothing_is_left() {
    let text = leaders("", &["fjord,\"Bente\r\nFjord\u{202e}\",bente@soeby.example"]);
    assert_eq!(accepted(&[("l.csv", &text)]).leaders[0].name, "Bente Fjord");
    let text = leaders("", &["fjord,\u{202e},bente@soeby.example"]);
    assert_eq!(
        refused("l.csv", text.as_bytes()),
        ["l.csv:2, column \"name\": the cell is empty. Fill it in; every row needs it."]
    );
}

#[test]
fn yes_no_and_status_are_read_in_danish_and_english() {
    let cases = [
        ("ja", "åben", Some(true), Some(Status::Open)),
        ("Yes", "OPEN", Some(true), Some(Status::Open)),
        ("TRUE", "Mangler dato", Some(true), Some(Status::NeedsDate)),
        ("1", "needs_date", Some(true), Some(Status::NeedsDate)),
        ("nej", "done", Some(false), Some(Status::Done)),
        ("no", "udført", Some(false), Some(Status::Done)),
        ("false", "cancelled", Some(false), Some(Status::Cancelled)),
        ("0", "Annulleret", Some(false), Some(Status::Cancelled)),
        ("", "", None, None),
    ];
    for (confidential, status, is_confidential, meant) in cases {
        let row = format!("B-1,Ramper,marts,fjord,{confidential},{status}");
        let sheets = accepted(&[("a.csv", &commitments(",confidential,status", &[&row]))]);
        let row = &sheets.commitments[0];
        assert_eq!((row.confidential, row.status), (is_confidential, meant));
    }
}

/// Each row is refused for one cell; the text is what follows the file, the line and `column`.
#[track_caller]
fn refused_cells(sheet: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    for (row, expected) in cases {
        let problems = refused("x.csv", sheet(row).as_bytes());
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let expected = format!("x.csv:2, column {expected}");
        assert!(problems[0].starts_with(&expected), "{}\n{expected}", problems[0]);
    }
}

#[test]
fn a_wrong_cell_of_a_leader_is_named_with_a_way_out() {
    refused_cells(
        |row| leaders("", &[row]),
        &[
            (",B,b@x.example", "\"reference\": the cell is empty. Fill"),
            ("f,,b@x.example", "\"name\": the cell is empty. Fill"),
            ("f,B,", "\"email\": the cell is empty. Fill"),
            ("f,B,b@x", "\"email\": \"b@x\" cannot be used: the domain after @ has no dot"),
            ("f,B,bæ@x.example", "\"email\": \"bæ@x.example\" cannot be used: the part before"),
            ("min f,B,b@x.example", "\"reference\": \"min f\" cannot be a reference. Use"),
            ("-f,B,b@x.example", "\"reference\": \"-f\" cannot be a reference. Use"),
        ],
    );
    refused_cells(
        |row| {
            let columns = ",language,active_from,active_to,absent_from,absent_to";
            leaders(columns, &[&format!("f,B,b@x.example,{row}")])
        },
        &[
            ("dk,,,,", "\"language\": \"dk\" is no language of the mails. Write da or en."),
            (
                ",2020-02-30,,,",
                "\"active_from\": 2020-02-30 does not exist: February 2020 has 29 days. Write",
            ),
            (",,0.0.2020,,", "\"active_to\": 0.0.2020 does not exist: there is no month 0. Write"),
            (",,,,1.13.2020", "\"absent_to\": 1.13.2020 does not exist: there is no month 13."),
            (
                ",,,2.1.2020,1.1.2020",
                "\"absent_to\": the period ends on 2020-01-01, before it begins on 2020-01-02. Ex",
            ),
        ],
    );
}

#[test]
fn a_wrong_cell_of_a_commitment_is_named_with_a_way_out() {
    refused_cells(
        |row| commitments("", &[row]),
        &[
            ("B-1,,marts,f", "\"title\": the cell is empty. Fill"),
            ("B-1,Bro,,f", "\"deadline\": the cell is empty. Write a date or a phrase, or - when"),
            ("B-1,Bro,marts,", "\"responsible\": the cell is empty. Write the reference"),
            ("B-1,Bro,marts, ; ", "\"responsible\": no leader is named. Write"),
            ("B-1,Bro,marts,f;vig;f", "\"responsible\": \"f\" is named twice. Name"),
            ("B-1,B\0ro,marts,f", "\"title\": the cell holds the control character U+0000. Type"),
            ("B-1,\u{1b}[2J,marts,f", "\"title\": the cell holds the control character U+001B."),
        ],
    );
    refused_cells(
        |row| {
            let columns = ",confidential,status,document_date,adopted_on";
            commitments(columns, &[&format!("B-1,Bro,marts,f,{row}")])
        },
        &[
            ("måske,,,", "\"confidential\": \"måske\" is neither yes nor no. Write ja or nej"),
            (",klar,,", "\"status\": \"klar\" is no status. Write open,"),
            (",,15/5 2019,", "\"document_date\": \"15/5 2019\" is no date. Write it as YYYY-MM-DD"),
            (
                ",,,31.04.2020",
                "\"adopted_on\": 31.04.2020 does not exist: April 2020 has 30 days. Write a day",
            ),
        ],
    );
}

#[test]
fn a_cell_may_be_as_long_as_its_column_allows_and_no_longer() {
    let (reference, title, quote) = ("B".repeat(100), "å".repeat(1_000), "ø".repeat(10_000));
    let sheet = |r: &str, t: &str, q: &str| commitments(",quote", &[&format!("{r},{t},-,f,{q}")]);
    accepted(&[("x.csv", &sheet(&reference, &title, &quote))]);
    refused_cells(
        |extra| sheet(&format!("{reference}{extra}"), "Bro", ""),
        &[("B", "\"reference\": the cell has 101 characters. Shorten it to at most 100.")],
    );
    refused_cells(
        |extra| sheet("B-1", &format!("{title}{extra}"), ""),
        &[("å", "\"title\": the cell has 1001 characters. Shorten it to at most 1000.")],
    );
    refused_cells(
        |extra| sheet("B-1", "Bro", &format!("{quote}{extra}")),
        &[("ø", "\"quote\": the cell has 10001 characters. Shorten it to at most 10000.")],
    );
}

#[test]
fn all_problems_of_all_files_come_at_once_and_in_order() {
    let first =
        commitments(",status", &["B-1,Ramper,marts,fjord,klar", "B-2,,,fjord,", "B-3,Molen"]);
    let second = leaders("", &["vig,Ib Vig,ib", "vig,Ib Vig,ib@x.example"]);
    let problems = read(&[("1.csv", first.as_bytes()), ("2.csv", second.as_bytes())]).unwrap_err();
    let places: Vec<&str> =
        problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "1.csv:2, column \"status\"",
            "1.csv:3, column \"title\"",
            "1.csv:3, column \"deadline\"",
            "1.csv:4",
            "2.csv:2, column \"email\"",
            "2.csv:3, column \"reference\"",
        ]
    );
}

#[test]
fn the_header_is_refused_name_by_name() {
    let cases = [
        (
            "reference,titel,deadline,responsible,title",
            "\"titel\": this column is not known. Did you mean \"title\"?",
        ),
        (
            "reference,name,email,adopted_on",
            "\"adopted_on\": this column is not known. Rename or delete it; known are reference, name,",
        ),
        ("reference,name,email,Name", "\"name\": this column stands twice. Keep"),
        (
            "reference,name,role",
            "\"email\": this column is missing. Add it; required are reference, name, email.",
        ),
        ("reference,name,email,", "\"\": column 4 has no name. Name it"),
    ];
    for (header, expected) in cases {
        let problems = refused("x.csv", format!("{header}\n").as_bytes());
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let expected = format!("x.csv:1, column {expected}");
        assert!(problems[0].starts_with(&expected), "{}\n{expected}", problems[0]);
    }
}

#[test]
fn cells_under_a_refused_column_do_not_hide_the_problems_of_the_others() {
    let problems = refused("x.csv", b"reference,name,mail,email\nfjord,Bente,x,ib\n");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let problems = refused("x.csv", b"reference,name\nfjord,\n");
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].contains("column \"email\": this column is missing"));
    assert!(problems[1].contains("column \"name\": the cell is empty"));
}

#[test]
fn a_file_that_is_no_sheet_is_refused_by_what_it_is() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "x.csv: the file is empty. Begin with a line of column names"),
        (b"\xEF\xBB\xBF\r\n\n", "x.csv: the file is empty. Begin"),
        (b"reference|name|email\n", "x.csv:1: the header is neither that of leaders nor that of"),
        (b"\nreference\n", "x.csv:2: the header is neither"),
        (
            b"\xFF\xFEr\0e\0f\0",
            "x.csv: the file is in UTF-16, not UTF-8. Save it as UTF-8: in Excel",
        ),
        (b"\xFE\xFF\0r\0e\0f", "x.csv: the file is in UTF-16, not UTF-8. Save"),
        (b"r\0e\0f\0,\0", "x.csv: the file holds NUL bytes, as UTF-16 or a file that is no text"),
        (b"PK\x03\x04\x14\0", "x.csv: the file is a workbook, not CSV. Save"),
        (
            b"reference,name,email\nfjord,B\x81,b@x.example\n",
            "x.csv:2, column \"name\": the file is neither in UTF-8 nor in Windows-1252. Save",
        ),
        (
            b"reference,name,email\nfjord,\"Bente,b@x.example\nvig,Ib,i@x.example\n",
            "x.csv:2: a cell begins with a double quote that is not closed",
        ),
    ];
    for (bytes, expected) in cases {
        let problems = refused("x.csv", bytes);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].starts_with(expected), "{}\n{expected}", problems[0]);
    }
}

#[test]
fn windows_1252_is_named_with_the_first_cell_as_its_author_saw_it() {
    let bytes = b"reference;title;deadline;responsible;section\r\n\
        B-1;Ramper;marts;fjord;\"et\nto\"\r\n\
        B-2;Ramper;marts;fjord;K\xF8benhavn \x96 \xE6ndringer\r\nB-3;\xD8en;marts;fjord;\r\n";
    assert_eq!(
        refused("a.csv", bytes),
        ["a.csv:4, column \"section\": the file is in Windows-1252, not UTF-8: this cell reads \
          \"København – ændringer\" there. Save it as UTF-8: in Excel as \"CSV UTF-8 (comma \
          delimited)\", in LibreOffice with \"Edit filter settings\" and the character set \
          \"Unicode (UTF-8)\"."]
    );
    let problems = refused("a.csv", b"reference,title,deadline,ansvarsomr\xE5de\n");
    assert!(problems[0].starts_with("a.csv:1, column \"ansvarsområde\""), "{problems:?}");
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_refused() {
    let text = commitments("", &["B-1,Ramper,1. maj, 2. juni,fjord", "B-2,Broen,marts"]);
    let problems = refused("a.csv", text.as_bytes());
    assert!(problems[0].starts_with("a.csv:2: the row has 5 cells, the header 4. Put"));
    assert!(problems[1].starts_with("a.csv:3: the row has 3 cells, the header 4. Put"));
}

#[test]
fn a_quote_in_the_last_column_that_is_not_closed_swallows_no_rows() {
    for row in ["B-1,R,marts,fjord,\"en", "B-1,R,marts,fjord,\"en\" to", "B-1,\"R\nS\",marts,f,\"x"]
    {
        let text = commitments(",quote", &[row, "B-2,Broen,marts,fjord,\"ja\""]);
        let problems = refused("a.csv", text.as_bytes());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("double quote that is not closed"), "{problems:?}");
    }
    let text = commitments(",quote", &["B-1,Et 5\" rør,marts,fjord,\"sagde \"\"ja\"\"\""]);
    let row = &accepted(&[("a.csv", &text)]).commitments[0];
    assert_eq!(row.title, "Et 5\" rør");
    assert_eq!(row.quote.as_deref(), Some("sagde \"ja\""));
}

#[test]
fn a_reference_stands_once_in_all_sheets_of_its_sort() {
    let first = commitments("", &["fjord,Ramper,marts,fjord"]);
    let second = leaders("", &["fjord,Bente,b@x.example"]);
    accepted(&[("1.csv", &first), ("2.csv", &second)]);
    let problems = read(&[("1.csv", first.as_bytes()), ("3.csv", first.as_bytes())]).unwrap_err();
    assert_eq!(
        problems,
        [
            "3.csv:2, column \"reference\": \"fjord\" stands already at 1.csv:2. Keep one of the two \
          rows, or give one a new reference."
        ]
    );
}

#[test]
fn a_deadline_cell_is_a_day_or_no_day_or_a_phrase() {
    let cases = [
        ("2020-04-30", DeadlineCell::Day(day("2020-04-30"))),
        ("1.5.2020", DeadlineCell::Day(day("2020-05-01"))),
        (" 01.05.2020 ", DeadlineCell::Day(day("2020-05-01"))),
        ("31.04.2020", DeadlineCell::NoSuchDay),
        ("2019-02-29", DeadlineCell::NoSuchDay),
        ("0.1.2020", DeadlineCell::NoSuchDay),
        ("01.06.2019 – 31.12.2020", DeadlineCell::Phrase),
        ("1.5.20", DeadlineCell::Phrase),
        ("2020-2022", DeadlineCell::Phrase),
        ("2020-1-1", DeadlineCell::Phrase),
        ("-", DeadlineCell::Phrase),
        ("ultimo juni 2019", DeadlineCell::Phrase),
        ("٣.٥.٢٠٢٠", DeadlineCell::Phrase),
    ];
    for (cell, meant) in cases {
        assert_eq!(intake::deadline(cell), meant, "{cell}");
    }
}

#[test]
fn leaders_may_be_in_the_sheets_or_in_the_store_and_share_an_address() {
    let sheets = accepted(&[
        (
            "1.csv",
            &leaders(",manager,deputy", &["fjord,B,b@x.example,top,vig", "vig,I,b@x.example,,"]),
        ),
        (
            "2.csv",
            &commitments(",kind", &["B-1,Ramper,marts,fjord;top,status", "B-2,Bro,løbende,vig,"]),
        ),
    ]);
    assert_eq!(checked(&sheets, &[("top", None)]), [""; 0]);
}

#[test]
fn a_leader_who_is_nowhere_is_refused_with_the_nearest_name() {
    let sheets = accepted(&[
        ("1.csv", &leaders(",manager,deputy", &["fjord,B,b@x.example,topp,nobody"])),
        ("2.csv", &commitments("", &["B-1,Ramper,marts,fjord;Fjrod"])),
    ]);
    assert_eq!(
        checked(&sheets, &[("top", None)]),
        [
            "1.csv:2, column \"manager\": there is no leader \"topp\". Did you mean \"top\"?",
            "1.csv:2, column \"deputy\": there is no leader \"nobody\". Add the leader to the \
             sheet of leaders, or correct the reference.",
            "2.csv:2, column \"responsible\": there is no leader \"Fjrod\". Did you mean \"fjord\"?",
        ]
    );
}

#[test]
fn nobody_is_their_own_manager_or_deputy() {
    let text = leaders(",manager,deputy", &["fjord,B,b@x.example,fjord,fjord"]);
    assert_eq!(
        checked(&accepted(&[("1.csv", &text)]), &[]),
        [
            "1.csv:2, column \"manager\": \"fjord\" would be their own manager. Name somebody \
             else, or leave it empty.",
            "1.csv:2, column \"deputy\": \"fjord\" would be their own deputy. Name somebody else, \
             or leave it empty.",
        ]
    );
}

#[test]
fn a_circle_of_managers_is_named_once_where_its_first_row_stands() {
    let rows = ["z,Z,z@x.example,b", "b,B,b@x.example,c", "a,A,a@x.example,b"];
    let sheets = accepted(&[("1.csv", &leaders(",manager", &rows))]);
    let circle = "1.csv:3, column \"manager\": the managers go round in a circle: \
                  b > c > a > b. Give one of them another manager.";
    assert_eq!(checked(&sheets, &[("c", Some("a")), ("b", None)]), [circle]);
    assert_eq!(checked(&sheets, &[("c", Some("top")), ("top", None)]), [""; 0]);
}

#[test]
fn a_circle_is_looked_for_after_the_sheet_is_laid_over_the_store() {
    let store = [("a", Some("b")), ("b", Some("a")), ("c", None)];
    let mends = accepted(&[("1.csv", &leaders(",manager", &["a,A,a@x.example,c"]))]);
    assert_eq!(checked(&mends, &store), [""; 0]);
    let leaves = accepted(&[("1.csv", &leaders("", &["a,A,a@x.example"]))]);
    assert_eq!(checked(&leaves, &store).len(), 1);
    let elsewhere = accepted(&[("1.csv", &leaders(",manager", &["d,D,d@x.example,a"]))]);
    assert_eq!(checked(&elsewhere, &store), [""; 0]);
}

#[test]
fn an_unknown_kind_and_a_day_that_does_not_exist_are_refused() {
    let rows = [
        "B-1,Ramper,31.04.2020,fjord,Status,",
        "B-2,Broen,31. april,fjord,picnic,",
        "B-3,Molen,29. februar,fjord,,2019-05-01",
        "B-4,Fyret,29. februar,fjord,,2020-01-02",
        "B-5,Kajen,snarest,fjord,,",
    ];
    let sheets = accepted(&[("1.csv", &commitments(",kind,adopted_on", &rows))]);
    assert_eq!(
        checked(&sheets, &[("fjord", None)]),
        [
            "1.csv:2, column \"kind\": there is no kind \"Status\". Did you mean \"status\"?",
            "1.csv:2, column \"deadline\": 31.04.2020 does not exist: April 2020 has 30 days. \
             Write a day that exists.",
            "1.csv:3, column \"kind\": there is no kind \"picnic\". Known are status, follow_up, \
             milestone; add rules for a kind of your own.",
            "1.csv:3, column \"deadline\": 31. april does not exist. Write a day that exists.",
            "1.csv:4, column \"deadline\": 29. februar does not exist. Write a day that exists.",
        ]
    );
}

fn promise<'a>(
    reference: &'a str,
    title: &'a str,
    phrase: &'a str,
    who: &'a [String],
) -> Promise<'a> {
    Promise { reference, title, phrase, windows: &[], responsible: who }
}

#[test]
fn the_same_promise_under_two_references_is_a_likely_double() {
    let (fjord, both, vig) =
        (["fjord".to_owned()], ["vig".to_owned(), "fjord".to_owned()], ["vig".to_owned()]);
    let march = [Window::span(day("2020-03-01"), day("2020-03-31"))];
    let existing = [
        promise("A-1", "Ramper ved havnen", "marts 2020", &fjord),
        promise("B-9", "Broen", "maj", &fjord),
        Promise { windows: &march, ..promise("A-2", "Molen", "i marts", &fjord) },
    ];
    let imported = [
        promise("B-1", "ramper  ved Havnen", "Marts 2020", &both),
        promise("B-2", "Ramper ved havnen", "marts 2020", &vig),
        promise("B-3", "Ramper ved havnen", "april 2020", &fjord),
        promise("B-9", "Broen", "maj", &fjord),
        Promise { windows: &march, ..promise("B-4", "Molen", "01.03.2020-31.03.2020", &fjord) },
        promise("B-5", "Kajen", "løbende", &fjord),
        promise("B-6", "Kajen", "snarest", &fjord),
    ];
    let doubles = intake::likely_doubles(&imported, &existing);
    let doubles: Vec<(&str, &str)> =
        doubles.iter().map(|(new, earlier)| (new.as_str(), earlier.as_str())).collect();
    assert_eq!(doubles, [("B-1", "A-1"), ("B-2", "B-1"), ("B-4", "A-2")]);
    let mut titles = Titles::default();
    imported.iter().for_each(|promise| titles.add(promise.title));
    assert!(titles.stands_again("ramper  ved Havnen") && titles.stands_again("KAJEN"));
    assert!(!titles.stands_again("Broen") && !titles.stands_again("Havnen"));
}

fn shared_data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let data = std::env::var_os("ADVIS_SHARED").map_or_else(beside, PathBuf::from).join("data");
    data.is_dir().then_some(data)
}

#[test]
fn the_sample_sheets_are_read_whole_and_name_nobody_unknown() {
    let Some(data) = shared_data() else {
        eprintln!("skipped: no sample sheets; set ADVIS_SHARED to the folder that holds data/");
        return;
    };
    let [leaders, commitments] = ["leaders.csv", "commitments.csv"]
        .map(|name| std::fs::read_to_string(data.join(name)).unwrap());
    let sheets = accepted(&[("commitments.csv", &commitments), ("leaders.csv", &leaders)]);
    assert_eq!(sheets.leaders.len(), leaders.lines().count() - 1);
    assert_eq!(sheets.commitments.len(), commitments.lines().count() - 1);
    let known = Known {
        leaders: &BTreeMap::new(),
        kinds: &[
            "status",
            "effect_goals",
            "evaluation",
            "milestone",
            "follow_up",
            "decision",
            "meeting",
        ],
        today: day("2019-06-01"),
    };
    assert_eq!(intake::check(&sheets, &known, fake), []);
}

/// Text that survives cleaning as it is.
fn plain() -> impl Strategy<Value = String> {
    "[a-zæøå§\",;.\\-]{1,12}( [a-zæøå\",;]{1,8}){0,2}"
}

proptest! {
    #[test]
    fn any_bytes_are_rows_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for head in ["", "reference,name,email\n", "reference;title;deadline;responsible;quote\n"] {
            let bytes = [head.as_bytes(), &bytes].concat();
            match read(&[("x.csv", &bytes)]) {
                Ok(_) => {}
                Err(problems) => prop_assert!(!problems.is_empty()),
            }
        }
    }

    #[test]
    fn what_a_spreadsheet_writes_is_read_back(
        rows in proptest::collection::vec((plain(), plain(), plain()), 0..6),
        separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        order in Just([0, 1, 2, 3, 4]).prop_shuffle(),
        crlf in any::<bool>(),
    ) {
        let header = ["reference", "title", "deadline", "responsible", "quote"];
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer =
            csv::WriterBuilder::new().delimiter(separator).terminator(end).from_writer(Vec::new());
        writer.write_record(order.map(|column: usize| header[column])).unwrap();
        for (number, (title, deadline, quote)) in rows.iter().enumerate() {
            let reference = number.to_string();
            let quote = format!("{quote}\n{title}");
            let cells = [&reference, title, deadline, "fjord", &quote];
            writer.write_record(order.map(|column: usize| cells[column])).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let sheets = read(&[("x.csv", &bytes)]).unwrap();
        prop_assert_eq!(sheets.commitments.len(), rows.len());
        for (number, (row, (title, deadline, quote))) in sheets.commitments.iter().zip(&rows).enumerate() {
            prop_assert_eq!(row.place.line, 2 + 2 * number as u64);
            prop_assert_eq!(&row.title, title);
            prop_assert_eq!(&row.deadline, deadline);
            let quote = format!("{quote}\n{title}");
            prop_assert_eq!(row.quote.as_deref(), Some(quote.as_str()));
        }
    }

    #[test]
    fn every_day_is_read_in_both_spellings(days in 0..80_000_i64) {
        let date = day("1900-01-01") + chrono::TimeDelta::days(days);
        for spelling in ["%Y-%m-%d", "%-d.%-m.%Y", "%d.%m.%Y"] {
            let cell = date.format(spelling).to_string();
            prop_assert_eq!(intake::deadline(&cell), DeadlineCell::Day(date));
        }
    }

    #[test]
    fn a_double_quote_too_many_or_too_few_loses_no_row(
        quotes in proptest::collection::vec("[a-zæ;,\n ]{0,12}", 1..5),
        at in any::<prop::sample::Index>(),
        is_added in any::<bool>(),
    ) {
        let rows: Vec<String> = quotes
            .iter()
            .enumerate()
            .map(|(number, quote)| format!("B-{number},Bro,marts,f,\"x{quote}\""))
            .collect();
        let mut text = commitments(",quote", &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let places: Vec<usize> = if is_added {
            text.char_indices().map(|(place, _)| place).collect()
        } else {
            text.match_indices('"').map(|(place, _)| place).collect()
        };
        let place = *at.get(&places);
        if is_added {
            text.insert(place, '"');
        } else {
            text.remove(place);
        }
        if let Ok(sheets) = read(&[("x.csv", text.as_bytes())]) {
            prop_assert_eq!(sheets.commitments.len(), rows.len(), "{}", text);
        }
    }
}
