package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The canonical layout. */
class FormatterTest {
    private static void formats(String text, String expected) {
        assertEquals(Optional.of(expected), Formatter.format(new SourceFile("test.kvs", text)));
        assertEquals(Optional.of(expected), Formatter.format(new SourceFile("test.kvs", expected)));
    }

    @Test
    void everyConstruct() {
        formats(
                Samples.resource("everything.kvs").text(),
                Samples.resource("everything.formatted").text());
    }

    @Test
    void keepsCommentsWhereTheyBelong() {
        formats("""
                // head


                // second
                test   "a"{   // why
                  // before
                  td.x  1,
                """.replace("1,\n", "1 // one\n") + """
                            td.longer_name 1 // two
                      on sean->ok // sean's
                      on v6.16 -> EINVAL

                  let x = [1, // inner
                    2]
                  if a { // then
                  } else { // otherwise
                    // nothing
                  }
                  // last
                } // end
                // tail
                """, """
                // head

                // second
                test "a" {    // why
                    // before
                    td.x 1                   // one
                    td.longer_name 1         // two
                        on sean  -> ok       // sean's
                        on v6.16 -> EINVAL

                    // inner
                    let x = [1, 2]
                    if a {    // then
                    } else {  // otherwise
                        // nothing
                    }
                    // last
                }  // end
                // tail
                """);
    }

    @Test
    void keepsOneEmptyLineBetweenStatementsAndNoneAtTheEdgesOfABlock() {
        formats("\n\n\nlet a = 1\n\n\n\nlet b = 2\ntest \"t\" {\n\n\n  a.b\n\n}\n\n", """
                let a = 1

                let b = 2
                test "t" {
                    a.b
                }
                """);
    }

    @Test
    void breaksWideListsAndRecords() {
        String item = "0x1234_5678_9abc_def0";
        formats(
                "let a = [" + String.join(", ", item, item, item, item, item, item) + "]",
                "let a = [\n" + ("    " + item + ",\n").repeat(5) + "    " + item + "\n]\n");
    }

    @Test
    void keepsOperationsOfADeclarationOnOneLineApart() {
        formats("vm a = b {vcpus 1   memory 0 .. 1M   private}", "vm a = b { vcpus 1  memory 0 .. 1M  private }\n");
    }

    @Test
    void keepsColumnsThatTheAuthorBegan() {
        formats("""
                test "a" {
                    td.get 1     -> ok   // first
                    td.get 0x2000 -> ENOENT
                    td.set  3 gpa 4K -> ok
                    td.a_much_longer_name 17 .. 4096 -> ok
                    let a   = 1
                    let bcd = 2
                    assert a    == 1
                    assert bcd is 2
                }
                """, """
                test "a" {
                    td.get 1      -> ok  // first
                    td.get 0x2000 -> ENOENT
                    td.set 3 gpa 4K -> ok
                    td.a_much_longer_name 17 .. 4096 -> ok
                    let a   = 1
                    let bcd = 2
                    assert a   == 1
                    assert bcd is 2
                }
                """);
    }

    @Test
    void keepsABlockOfOneStatementOnItsLine() {
        formats("""
                test "a" { td.x 1 } // why
                test "b" {
                    on rfc { assert a }
                    on v6.16   { assert b }
                    if a {
                        td.x
                    }
                }
                """, """
                test "a" { td.x 1 }  // why
                test "b" {
                    on rfc   { assert a }
                    on v6.16 { assert b }
                    if a {
                        td.x
                    }
                }
                """);
    }

    @Test
    void assembly() {
        formats("""
                guest g=asm64{
                a: mov eax,[ rbx+rcx*4 ]  ; load
                  a_long_label: hlt
                // own line
                  db   1,2
                }
                """, """
                guest g = asm64 {
                a:      mov  eax, [rbx + rcx*4]  ; load
                a_long_label:
                        hlt
                        // own line
                        db 1, 2
                }
                """);
    }

    @Test
    void aBlockOfTextMovesWithItsStatement() {
        formats("test \"a\" {\nassert x shows \"\"\"\n one\n   two\n\"\"\"\n}", """
                test "a" {
                    assert x shows \"""
                        one
                          two
                    \"""
                }
                """);
    }

    @Test
    void whatIsNotWellFormedIsLeftAlone() {
        assertEquals(Optional.empty(), Formatter.format(new SourceFile("test.kvs", "let x =")));
    }
}
