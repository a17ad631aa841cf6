package kvasir.grammar;

import java.util.List;
import java.util.Optional;

/** One statement; a script is a list of them. */
public sealed interface Statement extends Node {

    /** {@code semantics sean, v6.16}: the script runs once under each. */
    record Semantics(Span span, List<SemanticsName> names) implements Statement {
        public Semantics {
            names = List.copyOf(names);
        }
    }

    /** {@code semantics custom from v6.18 { no_slot ENOENT }}: runs under a behaviour put together here. */
    record CustomSemantics(Span span, SemanticsName name, SemanticsName base, List<Line> policies)
            implements Statement {
        public CustomSemantics {
            policies = List.copyOf(policies);
        }
    }

    /** {@code vm td = tdx { vcpus 1 }}; without braces the list is empty. */
    record Vm(Span span, Identifier name, Identifier type, List<Line> lines) implements Statement {
        public Vm {
            lines = List.copyOf(lines);
        }
    }

    /**
     * One line of a declaration: an operation on the thing that is being declared.
     *
     * <p>Several operations may share a line ({@code vcpus 1 memory 0 .. 64M}); then {@code arguments} holds all that
     * follows the first verb, and only the registry knows where the next operation begins.
     */
    record Line(Span span, Identifier verb, List<Expression> arguments) implements Node {
        public Line {
            arguments = List.copyOf(arguments);
        }
    }

    /**
     * {@code guest probe = asm64 { ... }}.
     *
     * @param bits 16, 32 or 64
     * @param code in source order
     */
    record Guest(Span span, Identifier name, int bits, List<Assembly> code) implements Statement {
        public Guest {
            code = List.copyOf(code);
        }
    }

    /** {@code let name = value}; the value may be an {@link Expression.Invoke}. */
    record Let(Span span, Identifier name, Expression value) implements Statement {}

    /**
     * {@code target = value}.
     *
     * @param target an {@link Expression.Member}, {@link Expression.Index} or {@link Expression.Name}
     */
    record Assign(Span span, Expression target, Expression value) implements Statement {}

    /** {@code fn name(a, b) { ... }}; {@code fn name(a) = value} has one {@link Return} as its body. */
    record Function(Span span, Identifier name, List<Identifier> parameters, Block body) implements Statement {
        public Function {
            parameters = List.copyOf(parameters);
        }
    }

    /** {@code return value}. */
    record Return(Span span, Optional<Expression> value) implements Statement {}

    /** {@code test "name" { ... }}. */
    record Test(Span span, Expression.Text name, Block body) implements Statement {}

    /** {@code setup { ... }}: runs before each test. */
    record Setup(Span span, Block body) implements Statement {}

    /** {@code { ... }}. */
    record Block(Span span, List<Statement> statements) implements Node {
        public Block {
            statements = List.copyOf(statements);
        }
    }

    /**
     * {@code td.vcpu0.map_memory 0 .. 2M -> ok left 0}, or any other expression standing alone.
     *
     * @param call an {@link Expression.Invoke}; without arguments a {@link Expression.Member} or
     *     {@link Expression.Name}; with parentheses a {@link Expression.Call}
     * @param outcome what is expected under every semantics that no row names; absent: it must succeed
     * @param rows outcomes by semantics, in source order
     */
    record Operation(Span span, Expression call, Optional<Pattern> outcome, List<OutcomeRow> rows)
            implements Statement {
        public Operation {
            rows = List.copyOf(rows);
        }
    }

    /** {@code on sean, rfc -> ok left 0}. */
    record OutcomeRow(Span span, List<SemanticsName> semantics, Pattern outcome) implements Node {
        public OutcomeRow {
            semantics = List.copyOf(semantics);
        }
    }

    /** {@code on sean, rfc { ... }}: runs under those only. */
    record On(Span span, List<SemanticsName> semantics, Block body) implements Statement {
        public On {
            semantics = List.copyOf(semantics);
        }
    }

    /** {@code assert condition}; {@code is} and {@code shows} are expressions. */
    record Assert(Span span, Expression condition) implements Statement {}

    /**
     * {@code race "name" { label: operation ... } explore { preemptions 3 } never deadlock}.
     *
     * @param tasks what runs side by side
     * @param bounds the lines of {@code explore}
     * @param clauses what must hold over all schedules, in source order
     */
    record Race(Span span, Expression.Text name, List<Task> tasks, List<Line> bounds, List<Clause> clauses)
            implements Statement {
        public Race {
            tasks = List.copyOf(tasks);
            bounds = List.copyOf(bounds);
            clauses = List.copyOf(clauses);
        }
    }

    /** {@code label: operation} or {@code label: { operations }}; the former is a block of one. */
    record Task(Span span, Identifier label, Block body) implements Node {}

    /** How often a claim must hold over all schedules. */
    enum Frequency {
        ALWAYS,
        NEVER,
        SOMETIMES
    }

    /** {@code never livelock, deadlock}. */
    record Clause(Span span, Frequency frequency, List<Claim> claims) implements Node {
        public Clause {
            claims = List.copyOf(claims);
        }
    }

    /** What a {@link Clause} speaks of. */
    sealed interface Claim extends Node {
        /** {@code livelock}, {@code lock order inversion}: words that the explorer knows. */
        record Known(Span span, List<Identifier> words) implements Claim {
            public Known {
                words = List.copyOf(words);
            }
        }

        /** {@code populate is ok or td.ept[0] is empty}: over outcomes by label and the final state. */
        record Condition(Span span, Expression expression) implements Claim {}
    }

    /** {@code show td.mrtd ledger}; with words behind the subject it is an {@link Expression.Invoke}. */
    record Show(Span span, Expression subject) implements Statement {}

    /** {@code for page in 0 .. 2M step 4K { ... }}. */
    record For(Span span, Identifier variable, Expression over, Optional<Expression> step, Block body)
            implements Statement {}

    /** {@code if a { ... } else if b { ... } else { ... }}: one branch for each condition. */
    record If(Span span, List<Branch> branches, Optional<Block> otherwise) implements Statement {
        public If {
            branches = List.copyOf(branches);
        }
    }

    /** {@code if condition { ... }}. */
    record Branch(Span span, Expression condition, Block body) implements Node {}

    /**
     * {@code import "file.kvs"} or {@code import { a, b as c } from "file.mjs"}.
     *
     * @param names empty: everything the file declares
     */
    record Import(Span span, List<ImportedName> names, Expression.Text file) implements Statement {
        public Import {
            names = List.copyOf(names);
        }
    }

    /** {@code name as local}; {@code local} equals {@code name} when not renamed. */
    record ImportedName(Span span, Identifier name, Identifier local) implements Node {}

    /** What could not be read; only in trees that come with an error. */
    record Malformed(Span span) implements Statement {}
}
