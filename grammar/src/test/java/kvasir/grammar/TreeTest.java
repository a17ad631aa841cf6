package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tree that each construct is read as. */
class TreeTest {
    @Test
    void aScriptWithEveryConstructIsWellFormed() {
        assertEquals(
                13,
                Samples.parse(Samples.resource("everything.kvs").text())
                        .statements()
                        .size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            value = {
                "td.finalize => Operation(Member(td, finalize), -, [])",
                "td.a.b 1 2 => Operation(Invoke(Member(Member(td, a), b), [1, 2]), -, [])",
                "load probe at 1M => Operation(Invoke(load, [probe, at, 1M]), -, [])",
                "invariants on => Operation(Invoke(invariants, [on]), -, [])",
                "td.x 0 .. 2M -> ok left 0 => Operation(Invoke(Member(td, x), [Range(0, 2M)]), Named(ok, [], [Field(left, Value(0))]), [])",
                "td.vm.test.on => Operation(Member(Member(Member(td, vm), test), on), -, [])",
                "vcpu.rax = 5 => Assign(Member(vcpu, rax), 5)",
                "a.b = c.d 1 => Assign(Member(a, b), Invoke(Member(c, d), [1]))",
                "let x = 1 => Let(x, 1)",
                "vm bare = snp => Vm(bare, snp, [])",
                "vm v = t { a 1  b } => Vm(v, t, [Line(a, [1, b])])",
                "show td.mrtd ledger => Show(Invoke(Member(td, mrtd), [ledger]))",
                "semantics a, v6.16, rfc-v2 => Semantics([a, v6.16, rfc-v2])",
                "return_value 1 => Operation(Invoke(return_value, [1]), -, [])",
                "import \"x.kvs\" => Import([], Text('x.kvs', false))",
                "import { a, b as c } from \"x\" => Import([ImportedName(a, a), ImportedName(b, c)], Text('x', false))",
                "vm.ept => Operation(Member(vm, ept), -, [])",
                "vm vm = default => Vm(vm, default, [])",
                "let guest = vm => Let(guest, vm)",
                "boot vm from linux(\"x\") => Operation(Invoke(boot, [vm, from, Call(linux, [Argument(-, Text('x', false))])]), -, [])",
                "guest[0] is x => Operation(Is(Index(guest, 0), false, Named(x, [], [])), -, [])",
                "a [1] => Operation(Invoke(a, [Items([1])]), -, [])",
                "a[1] => Operation(Index(a, 1), -, [])",
                "a (1) => Operation(Invoke(a, [Parenthesized(1)]), -, [])",
                "a(1, b: 2) => Operation(Call(a, [Argument(-, 1), Argument(b, 2)]), -, [])",
            })
    void aStatement(String text, String shape) {
        assertEquals(shape, Samples.shape(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            value = {
                "1 + 2 * 3 => Binary(ADD, 1, Binary(MULTIPLY, 2, 3))",
                "1 - 2 - 3 => Binary(SUBTRACT, Binary(SUBTRACT, 1, 2), 3)",
                "a | b ^ c & d << 1 + 2 => Binary(BIT_OR, a, Binary(BIT_XOR, b, Binary(BIT_AND, c, Binary(SHIFT_LEFT, d, Binary(ADD, 1, 2)))))",
                "a & 1 == 0 => Binary(EQUAL, Binary(BIT_AND, a, 1), 0)",
                "a or b and not c == d => Binary(OR, a, Binary(AND, b, Unary(NOT, Binary(EQUAL, c, d))))",
                "-~a.b => Unary(NEGATE, Unary(COMPLEMENT, Member(a, b)))",
                "a + 1 .. b + 2 => Range(Binary(ADD, a, 1), Binary(ADD, b, 2))",
                "a is FREE => Is(a, false, Named(FREE, [], []))",
                "a is not leaf(4K, rwx, pfn: 7) => Is(a, true, Named(leaf, [Value(4K), Named(rwx, [], [])], [Field(pfn, Value(7))]))",
                "a is ok left 0 and b => Binary(AND, Is(a, false, Named(ok, [], [Field(left, Value(0))])), b)",
                "a is 1 .. 3 => Is(a, false, Value(Range(1, 3)))",
                "a is (b or c) => Is(a, false, Either([Named(b, [], []), Named(c, [], [])]))",
                "a is _ => Is(a, false, Any())",
                "a is b.c => Is(a, false, Value(Member(b, c)))",
                "hex\"00 fF\" => Bytes('hex', '00ff')",
                "{ a: 1, \"b c\": 2 } => Fields([Field(a, 1), Field(b c, 2)])",
                "{} => Fields([])",
                "[] => Items([])",
                "[1, [2]] => Items([1, Items([2])])",
                "why(x) => Call(why, [Argument(-, x)])",
                "a.b(1)[2].c => Member(Index(Call(Member(a, b), [Argument(-, 1)]), 2), c)",
            })
    void anExpression(String text, String shape) {
        assertEquals("Let(x, " + shape + ")", Samples.shape("let x = " + text));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "4K, 4096",
        "0x1_000, 4096",
        "0b101, 5",
        "2M, 2097152",
        "1G, 1073741824",
        "1T, 1099511627776",
        "0xffff_ffff_ffff_ffff, -1",
        "18446744073709551615, -1",
        "0x10K, 16384",
        "16777215T, -1099511627776",
        "0_0, 0",
        "00018446744073709551615, -1",
    })
    void anInteger(String text, long value) {
        Statement.Let let =
                (Statement.Let) Samples.parse("let x = " + text).statements().getFirst();
        assertEquals(value, ((Expression.Int) let.value()).value());
    }

    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            value = {
                "mov rax, [0x1000] => Instruction([], mov, [Plain(-, -, rax), Memory(-, -, -, false, 0x1000)])",
                "mov byte ptr [es:rdi+rcx*4-8], 5ah => Instruction([], mov, [Memory(BYTE, -, es, false, Binary(SUBTRACT, Binary(ADD, rdi, Binary(MULTIPLY, rcx, 4)), 8)), Plain(-, -, 5ah)])",
                "lock xadd fs:[rdi], eax => Instruction([lock], xadd, [Memory(-, -, fs, false, rdi), Plain(-, -, eax)])",
                "lea rbx, [rel table] => Instruction([], lea, [Plain(-, -, rbx), Memory(-, -, -, true, table)])",
                "jmp far dword 8:entry => Instruction([], jmp, [FarPointer(DWORD, FAR, 8, entry)])",
                "fld st(1) => Instruction([], fld, [Plain(-, -, st(1))])",
                "rep movsb => Instruction([rep], movsb, [])",
                "db 1, 'ab', \"c\" => Data(1, [1, Text('ab'), Text('c')])",
                "times 510 - ($ - $$) db 0 => Times(Binary(SUBTRACT, 510, Parenthesized(Binary(SUBTRACT, Here(), Start()))), Data(1, [0]))",
                "size equ 4*2 => Equ(size, Binary(MULTIPLY, 4, 2))",
                "align 16 => Align(16)",
                "org 0x7c00 => Org(0x7c00)",
                "HLT ; stop => Instruction([], HLT, [])",
                "test al, al // not the statement => Instruction([], test, [Plain(-, -, al), Plain(-, -, al)])",
            })
    void anAssemblyLine(String text, String shape) {
        assertEquals("Guest(p, 64, [" + shape + "])", Samples.shape("guest p = asm64 {\n" + text + "\n}"));
    }

    @Test
    void aLabelMayShareItsLine() {
        assertEquals(
                "Guest(p, 16, [Label(a), Instruction([], hlt, []), Label(.b), Label(c)])",
                Samples.shape("guest p = asm16 { a: hlt\n.b: c:\n}"));
    }

    @Test
    void outcomesBySemantics() {
        assertEquals(
                "Operation(Member(a, b), -, [OutcomeRow([sean, rfc-v2], Named(ok, [], [])), "
                        + "OutcomeRow([v6.16], Either([Named(EINVAL, [], []), Named(EIO, [], [])]))])",
                Samples.shape("a.b\n  on sean, rfc-v2 -> ok\n\n  // why\n  on v6.16 -> EINVAL or EIO\n"));
    }

    @Test
    void aPolicyBlock() {
        assertEquals(
                "CustomSemantics(custom, v6.18, [Line(no_slot, [ENOENT, progress, eagain_on_partial])])",
                Samples.shape("semantics custom from v6.18 { no_slot ENOENT  progress eagain_on_partial }"));
    }

    @Test
    void aRace() {
        assertEquals(
                "Race(Text('r', false), [Task(a, Block([Operation(Invoke(Member(x, y), [1]), -, [])])), "
                        + "Task(b, Block([Operation(Member(x, z), -, [])]))], [Line(preemptions, [3])], "
                        + "[Clause(NEVER, [Known([deadlock]), Known([invariant, violation])]), "
                        + "Clause(ALWAYS, [Condition(Is(a, false, Named(ok, [], [])))])])",
                Samples.shape("race \"r\" {\n a: x.y 1\n b: { x.z }\n} explore { preemptions 3 }\n"
                        + "never deadlock, invariant violation\nalways a is ok"));
    }

    @Test
    void aBlockOfTextLosesTheIndentationOfItsLines() {
        assertEquals(
                "Assert(Shows(x, Text('a\n  b\n\nc', true)))",
                Samples.shape("assert x shows \"\"\"\n      a\n        b  \n\n      c\n    \"\"\""));
        assertEquals("Let(x, Text('', true))", Samples.shape("let x = \"\"\"\n   \"\"\""));
        assertEquals("Let(x, Text('a \"quote\" \\n', true))", Samples.shape("let x = \"\"\"a \"quote\" \\n\"\"\""));
    }

    @Test
    void spansCountLinesAndColumnsFromOneInCodePoints() {
        SourceFile file = new SourceFile("a.kvs", "let a = 1\n  let s = \"\uD83D\uDE00\" b");
        Span span = file.span(file.text().indexOf(" b") + 1, file.text().length());
        assertEquals("a.kvs:2:15", span.toString());
        Statement second = Samples.parse("let a = 1\nlet bc = 2\n").statements().get(1);
        assertEquals("let bc = 2", second.span().text());
        assertEquals(2, second.span().line());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "test \"a\" {",
                "let x = [1,",
                "let x = 1 +",
                "a is",
                "guest p = asm64 {\n hlt",
                "x shows \"\"\"\nabc",
                "f(1",
                "let x ="
            })
    void theReplAsksForMore(String text) {
        assertTrue(Kvs.isIncomplete(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "test \"a\" { }", "let x = 1", "let x = )", "}", "\"abc", "td.not", "guest p = asm64 { hlt }"
            })
    void theReplRunsWhatIsWhole(String text) {
        assertFalse(Kvs.isIncomplete(text));
    }
}
