package kvasir.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.antlr.v4.runtime.Token;

/**
 * Writes scripts in the canonical layout: four blanks a level, one statement a line, outcome rows below their
 * operation. Comments are kept, and so is one empty line where there were any. Adjacent operations keep the columns
 * their author began: where one of them had more than one blank before an argument or its arrow, all have theirs
 * there. The layout of a laid out script is itself.
 */
public final class Formatter {
    private static final String STEP = ExpressionPrinter.STEP;

    /** A block on one line is not longer than this. */
    private static final int WIDTH = 100;

    /** Column of instructions within an assembly block; labels stand at its margin. */
    private static final int MNEMONIC = 8;

    private final ExpressionPrinter expressions;
    private final List<Token> comments;
    private final Optional<SourceFile> source;
    private final LaidOut lines = new LaidOut();
    private int nextComment;
    /** Line of the source where the last thing written ended; 0 where no empty line is to be kept. */
    private int lastLine;

    private Formatter(Optional<SourceFile> source, List<Token> comments) {
        this.source = source;
        this.comments = comments;
        this.expressions = new ExpressionPrinter(source.isPresent());
    }

    /** The script laid out, or nothing if it is not well formed. */
    public static Optional<String> format(SourceFile source) {
        Parsed parsed = Kvs.parse(source);
        if (!parsed.ok()) {
            return Optional.empty();
        }
        List<Token> comments = Layout.of(new Problems(source)).comments();
        Formatter formatter = new Formatter(Optional.of(source), comments);
        return Optional.of(formatter.script(parsed.script()));
    }

    /**
     * A tree that was not read from a text. Where an operator needs parentheses, it has {@link
     * Expression.Parenthesized}.
     */
    public static String print(Script script) {
        return new Formatter(Optional.empty(), List.of()).script(script);
    }

    private String script(Script script) {
        script.statements().forEach(each -> statement(each, ""));
        commentsBefore(script.span().end(), "");
        return lines.text();
    }

    private void statement(Statement statement, String indent) {
        switch (statement) {
            case Statement.Semantics it -> leaf(it, "semantics " + names(it.names()), indent);
            case Statement.CustomSemantics it ->
                declaration(
                        it,
                        "semantics " + it.name().text() + " from " + it.base().text(),
                        it.policies(),
                        indent);
            case Statement.Vm it -> {
                String head = "vm " + it.name().text() + " = " + it.type().text();
                if (it.lines().isEmpty()) {
                    leaf(it, head, indent);
                } else {
                    declaration(it, head, it.lines(), indent);
                }
            }
            case Statement.Guest it -> guest(it, indent);
            case Statement.Let it ->
                leaf(
                        it,
                        "let " + it.name().text(),
                        cell(LaidOut.VALUE, before("=", it.value().span().start()), "= " + print(it.value(), indent)),
                        indent);
            case Statement.Assign it ->
                leaf(it, print(it.target(), indent) + " = " + print(it.value(), indent), indent);
            case Statement.Function it -> function(it, indent);
            case Statement.Return it ->
                leaf(
                        it,
                        "return"
                                + it.value()
                                        .map(each -> " " + print(each, indent))
                                        .orElse(""),
                        indent);
            case Statement.Test it -> headed(it, "test " + print(it.name(), indent), it.body(), indent);
            case Statement.Setup it -> headed(it, "setup", it.body(), indent);
            case Statement.On it -> headed(it, "on " + names(it.semantics()), it.body(), indent);
            case Statement.Operation it -> operation(it, indent);
            case Statement.Assert it -> assertion(it, indent);
            case Statement.Race it -> race(it, indent);
            case Statement.Show it -> leaf(it, "show " + print(it.subject(), indent), indent);
            case Statement.For it -> {
                String step =
                        it.step().map(each -> " step " + print(each, indent)).orElse("");
                String head = "for " + it.variable().text() + " in " + print(it.over(), indent) + step;
                headed(it, head, it.body(), indent);
            }
            case Statement.If it -> branches(it, indent);
            case Statement.Import it -> leaf(it, importing(it, indent), indent);
            case Statement.Malformed it -> leaf(it, it.span().text(), indent);
        }
    }

    private static String names(List<SemanticsName> names) {
        return names.stream().map(SemanticsName::text).collect(Collectors.joining(", "));
    }

    private String importing(Statement.Import importing, String indent) {
        String file = print(importing.file(), indent);
        if (importing.names().isEmpty()) {
            return "import " + file;
        }
        return importing.names().stream()
                .map(each -> each.name().text().equals(each.local().text())
                        ? each.name().text()
                        : each.name().text() + " as " + each.local().text())
                .collect(Collectors.joining(", ", "import { ", " } from " + file));
    }

    private String print(Expression expression, String indent) {
        return expressions.print(expression, indent);
    }

    /** A statement without inner lines; comments within it come before it. */
    private void leaf(Node node, String text, String indent) {
        before(node.span().start(), node.span().end(), indent);
        lines.write(indent + text);
        after(node.span().end());
    }

    /** A statement without inner lines whose second part may stand in a column. */
    private void leaf(Node node, String text, LaidOut.Cell cell, String indent) {
        before(node.span().start(), node.span().end(), indent);
        lines.write(indent + text, List.of(cell));
        after(node.span().end());
    }

    private void assertion(Statement.Assert it, String indent) {
        switch (it.condition()) {
            case Expression.Is is -> {
                String word = is.negated() ? "is not" : "is";
                String pattern = expressions.print(is.pattern(), false, indent);
                assertion(it, is.subject(), word, is.pattern(), pattern, indent);
            }
            case Expression.Binary binary ->
                assertion(
                        it,
                        binary.left(),
                        binary.operator().symbol(),
                        binary.right(),
                        print(binary.right(), indent),
                        indent);
            default -> leaf(it, "assert " + print(it.condition(), indent), indent);
        }
    }

    private void assertion(
            Statement.Assert it, Expression subject, String word, Node claimed, String claim, String indent) {
        int start = before(word, claimed.span().start());
        leaf(it, "assert " + print(subject, indent), cell(LaidOut.CLAIM, start, word + " " + claim), indent);
    }

    private void headed(Node node, String head, Statement.Block body, String indent) {
        before(node.span().start(), body.span().start(), indent);
        block(head, body, indent);
        after(body.span().end());
    }

    /** {@code head}, the braces and what is in them, up to the closing brace. */
    private void block(String head, Statement.Block body, String indent) {
        if (body.statements().isEmpty() && !commentWithin(body.span())) {
            lines.write(indent + head + " { }");
            return;
        }
        if (oneLine(head, body, indent)) {
            return;
        }
        open(indent + head + " {", body.span().start() + 1);
        body.statements().forEach(each -> statement(each, indent + STEP));
        close(indent, body.span().end());
    }

    /** Writes a block of one short statement on one line if it stood so. */
    private boolean oneLine(String head, Statement.Block body, String indent) {
        boolean stoodSo = source.isPresent()
                && body.statements().size() == 1
                && body.span().line() == body.span().endLine();
        if (!stoodSo || commentWithin(body.span())) {
            return false;
        }
        int from = lines.size();
        int comment = nextComment;
        lastLine = 0;
        statement(body.statements().getFirst(), "");
        nextComment = comment;
        Optional<String> inner = lines.take(from)
                .map(each -> "{ " + each + " }")
                .filter(each -> indent.length() + head.length() + each.length() < WIDTH);
        inner.ifPresent(each -> lines.write(
                indent + head, List.of(cell(LaidOut.BLOCK, body.span().start(), each))));
        return inner.isPresent();
    }

    private void open(String text, int brace) {
        lines.write(text);
        after(brace);
        lastLine = 0;
    }

    private void close(String indent, int end) {
        commentsBefore(end - 1, indent + STEP);
        lines.write(indent + "}");
    }

    private void declaration(Node node, String head, List<Statement.Line> inner, String indent) {
        Span span = node.span();
        int brace = braceBefore(
                '{', inner.isEmpty() ? span.end() : inner.getFirst().span().start());
        before(span.start(), brace, indent);
        declared(indent + head, inner, brace, span, indent);
        after(span.end());
    }

    /**
     * The braces of a declaration: on one line if they stood so, else a line for each of {@code inner}.
     *
     * @param brace offset of the opening one
     * @param span ends with the closing one
     */
    private void declared(String head, List<Statement.Line> inner, int brace, Span span, String indent) {
        if (inner.isEmpty() && !commentWithin(span)) {
            lines.write(head + " { }");
            return;
        }
        boolean one = inner.size() == 1 && source.isPresent() && line(brace) == span.endLine();
        if (one) {
            lines.write(head + " { " + line(inner.getFirst(), indent) + " }");
            return;
        }
        open(head + " {", brace + 1);
        for (Statement.Line each : inner) {
            before(each.span().start(), each.span().end(), indent + STEP);
            String arguments =
                    expressions.arguments(each.arguments(), indent + STEP).strip();
            List<LaidOut.Cell> cells = arguments.isEmpty()
                    ? List.of()
                    : List.of(cell(0, each.arguments().getFirst().span().start(), arguments));
            lines.write(indent + STEP + each.verb().text(), cells);
            after(each.span().end());
        }
        close(indent, span.end());
    }

    /** Offset of the last {@code brace} before {@code offset} that is not in a comment; 0 without a text. */
    private int braceBefore(char brace, int offset) {
        if (source.isEmpty()) {
            return 0;
        }
        String text = source.get().text();
        int comment = comments.size() - 1;
        for (int i = offset - 1; i >= 0; i--) {
            while (comment >= 0 && comments.get(comment).getStartIndex() > i) {
                comment--;
            }
            if (comment >= 0 && comments.get(comment).getStopIndex() >= i) {
                i = comments.get(comment).getStartIndex();
            } else if (text.charAt(i) == brace) {
                return i;
            }
        }
        return 0;
    }

    private String line(Statement.Line line, String indent) {
        return line.verb().text() + expressions.arguments(line.arguments(), indent);
    }

    private void function(Statement.Function function, String indent) {
        String head = function.parameters().stream()
                .map(Identifier::text)
                .collect(Collectors.joining(", ", "fn " + function.name().text() + "(", ")"));
        List<Statement> body = function.body().statements();
        boolean isShort = body.size() == 1
                && body.getFirst() instanceof Statement.Return only
                && only.span().equals(function.body().span());
        if (isShort
                && body.getFirst() instanceof Statement.Return only
                && only.value().isPresent()) {
            leaf(function, head + " = " + print(only.value().get(), indent), indent);
        } else {
            headed(function, head, function.body(), indent);
        }
    }

    private void operation(Statement.Operation operation, String indent) {
        Span call = operation.call().span();
        int end = operation.outcome().map(each -> each.span().end()).orElse(call.end());
        before(call.start(), end, indent);
        List<LaidOut.Cell> cells = new ArrayList<>();
        String head = print(operation.call(), indent);
        if (operation.call() instanceof Expression.Invoke it) {
            head = print(it.callee(), indent);
            for (Expression argument : it.arguments()) {
                cells.add(cell(cells.size(), argument.span().start(), print(argument, indent)));
            }
        }
        operation.outcome().ifPresent(outcome -> {
            int arrow = before("->", outcome.span().start());
            cells.add(cell(LaidOut.ARROW, arrow, "-> " + expressions.print(outcome, true, indent)));
        });
        lines.write(indent + head, cells);
        after(end);
        int width = operation.rows().stream()
                .mapToInt(each -> names(each.semantics()).length())
                .max()
                .orElse(0);
        for (Statement.OutcomeRow row : operation.rows()) {
            String names = names(row.semantics());
            lastLine = 0;
            leaf(
                    row,
                    "on " + names + " ".repeat(width - names.length()) + " -> "
                            + expressions.print(row.outcome(), true, indent),
                    indent + STEP);
        }
    }

    /** Offset of the last {@code word} before {@code offset}; 0 without a text. */
    private int before(String word, int offset) {
        return source.map(file -> file.text().lastIndexOf(word, offset)).orElse(0);
    }

    /** A cell that stood at the offset {@code start}. */
    private LaidOut.Cell cell(int column, int start, String text) {
        if (source.isEmpty()) {
            return new LaidOut.Cell(column, false, 0, text);
        }
        boolean apart = start > 1 && source.get().text().startsWith("  ", start - 2);
        return new LaidOut.Cell(column, apart, source.get().column(start), text);
    }

    private void branches(Statement.If statement, String indent) {
        String head = "if ";
        for (Statement.Branch branch : statement.branches()) {
            if (head.equals("if ")) {
                before(statement.span().start(), branch.body().span().start(), indent);
            }
            branch(head + print(branch.condition(), indent), branch.body(), indent);
            head = "} else if ";
        }
        statement.otherwise().ifPresent(body -> branch("} else", body, indent));
        lines.write(indent + "}");
        after(statement.span().end());
    }

    /** A branch without its closing brace, which the next one or the end writes. */
    private void branch(String head, Statement.Block body, String indent) {
        commentsBefore(body.span().start(), indent + STEP);
        open(indent + head + " {", body.span().start() + 1);
        body.statements().forEach(each -> statement(each, indent + STEP));
        commentsBefore(body.span().end() - 1, indent + STEP);
    }

    private void race(Statement.Race race, String indent) {
        int first = race.tasks().isEmpty()
                ? race.name().span().end()
                : race.tasks().getFirst().span().start();
        before(race.span().start(), race.name().span().end(), indent);
        open(
                indent + "race " + print(race.name(), indent) + " {",
                race.name().span().end());
        commentsBefore(first, indent + STEP);
        race.tasks().forEach(each -> task(each, indent + STEP));
        if (race.bounds().isEmpty()) {
            lines.write(indent + "}");
        } else {
            int brace = braceBefore('{', race.bounds().getFirst().span().start());
            commentsBefore(braceBefore('}', brace), indent + STEP);
            int next = race.clauses().isEmpty()
                    ? race.span().end()
                    : race.clauses().getFirst().span().start();
            int close = braceBefore('}', next);
            Span span = new Span(race.span().source(), brace, Math.max(brace, close + 1));
            commentsBefore(brace, indent + STEP);
            declared(indent + "} explore", race.bounds(), brace, span, indent);
            after(span.end());
        }
        int width = race.clauses().stream()
                .mapToInt(each -> each.frequency().name().length())
                .max()
                .orElse(0);
        for (Statement.Clause clause : race.clauses()) {
            String word = clause.frequency().name().toLowerCase(Locale.ROOT);
            String claims =
                    clause.claims().stream().map(each -> claim(each, indent)).collect(Collectors.joining(", "));
            lastLine = 0;
            leaf(clause, word + " ".repeat(width - word.length() + 1) + claims, indent);
        }
        after(race.span().end());
    }

    private void task(Statement.Task task, String indent) {
        String head = task.label().text() + ":";
        List<Statement> body = task.body().statements();
        boolean isShort = body.size() == 1
                && body.getFirst() instanceof Statement.Operation only
                && only.span().equals(task.body().span());
        if (isShort && body.getFirst() instanceof Statement.Operation only) {
            before(task.span().start(), task.span().end(), indent);
            Span call = only.call().span();
            lines.write(indent + head, List.of(cell(0, call.start(), print(only.call(), indent))));
            after(task.span().end());
        } else {
            headed(task, head, task.body(), indent);
        }
    }

    private String claim(Statement.Claim claim, String indent) {
        return switch (claim) {
            case Statement.Claim.Known it ->
                it.words().stream().map(Identifier::text).collect(Collectors.joining(" "));
            case Statement.Claim.Condition it -> print(it.expression(), indent);
        };
    }

    private void guest(Statement.Guest guest, String indent) {
        Span span = guest.span();
        String head = indent + "guest " + guest.name().text() + " = asm" + guest.bits() + " {";
        int brace = source.map(
                        file -> file.text().indexOf('{', guest.name().span().end()))
                .orElse(0);
        before(span.start(), brace, indent);
        open(head, brace + 1);
        String pending = "";
        for (Assembly item : guest.code()) {
            if (item instanceof Assembly.Label label) {
                if (!pending.isEmpty()) {
                    lines.write(indent + pending);
                }
                before(label.span().start(), label.span().end(), indent);
                pending = label.name().text() + ":";
                if (!sharesLine(label, guest.code())) {
                    lines.write(indent + pending);
                    after(label.span().end());
                    pending = "";
                }
            } else {
                before(item.span().start(), item.span().end(), indent + " ".repeat(MNEMONIC));
                lines.write(indent + pending + " ".repeat(MNEMONIC - pending.length()) + assembly(item));
                after(item.span().end());
                pending = "";
            }
        }
        commentsBefore(span.end() - 1, indent + " ".repeat(MNEMONIC));
        lines.write(indent + "}");
        after(span.end());
    }

    /** Whether {@code label} is short and the item behind it stood on its line. */
    private boolean sharesLine(Assembly.Label label, List<Assembly> code) {
        int next = code.indexOf(label) + 1;
        return source.isPresent()
                && next < code.size()
                && !(code.get(next) instanceof Assembly.Label)
                && code.get(next).span().line() == label.span().line()
                && label.name().text().length() + 1 < MNEMONIC;
    }

    private String assembly(Assembly item) {
        return switch (item) {
            case Assembly.Label it -> it.name().text() + ":";
            case Assembly.Instruction it -> instruction(it);
            case Assembly.Data it -> {
                String directive = it.unit() == 1 ? "db" : it.unit() == 2 ? "dw" : it.unit() == 4 ? "dd" : "dq";
                yield it.values().stream()
                        .map(expressions::print)
                        .collect(Collectors.joining(", ", directive + " ", ""));
            }
            case Assembly.Times it -> "times " + expressions.print(it.count()) + " " + assembly(it.item());
            case Assembly.Equ it -> it.name().text() + " equ " + expressions.print(it.value());
            case Assembly.Align it -> "align " + expressions.print(it.boundary());
            case Assembly.Org it -> "org " + expressions.print(it.address());
            case Assembly.Malformed it -> it.span().text();
        };
    }

    private String instruction(Assembly.Instruction instruction) {
        String prefixes =
                instruction.prefixes().stream().map(each -> each.text() + " ").collect(Collectors.joining());
        String mnemonic = prefixes + instruction.mnemonic().text();
        if (instruction.operands().isEmpty()) {
            return mnemonic;
        }
        String gap = " ".repeat(Math.max(0, 4 - mnemonic.length()));
        return instruction.operands().stream()
                .map(expressions::print)
                .collect(Collectors.joining(", ", mnemonic + gap + " ", ""));
    }

    /** Comments before {@code limit} and an empty line if there was one before {@code start}. */
    private void before(int start, int limit, String indent) {
        commentsBefore(limit, indent);
        emptyLineBefore(start);
    }

    private void commentsBefore(int limit, String indent) {
        while (nextComment < comments.size() && comments.get(nextComment).getStartIndex() < limit) {
            Token comment = comments.get(nextComment++);
            emptyLineBefore(comment.getStartIndex());
            lines.write(indent + comment.getText().strip());
            lastLine = line(comment.getStartIndex());
        }
    }

    private void emptyLineBefore(int start) {
        if (lastLine > 0 && line(start) > lastLine + 1) {
            lines.write("");
        }
    }

    /** Puts a comment that follows on the line of {@code end} behind what was written last. */
    private void after(int end) {
        lastLine = source.isPresent() ? line(Math.max(0, end - 1)) : 0;
        if (nextComment < comments.size()) {
            Token comment = comments.get(nextComment);
            boolean behind = comment.getStartIndex() >= end && line(comment.getStartIndex()) == lastLine;
            if (behind && lines.comment(comment.getText().strip(), comment.getCharPositionInLine())) {
                nextComment++;
            }
        }
    }

    private boolean commentWithin(Span span) {
        return nextComment < comments.size()
                && comments.get(nextComment).getStartIndex() >= span.start()
                && comments.get(nextComment).getStartIndex() < span.end();
    }

    private int line(int offset) {
        return source.map(file -> file.line(offset)).orElse(0);
    }
}
