package kvasir.grammar;

import java.util.List;

/** What {@code is} and {@code ->} compare with. */
public sealed interface Pattern extends Node {

    /** {@code _}: anything. */
    record Any(Span span) implements Pattern {}

    /**
     * {@code FREE}, {@code EINVAL}, {@code leaf(4K, rwx)}, {@code ok left 0}, {@code leaf(4K, pfn: 7)}.
     *
     * <p>Written without arguments the name may also be a variable; who knows the names decides.
     *
     * @param positional what stands in the parentheses without a name; may be fewer than the state has
     * @param fields {@code name: pattern} in the parentheses, then {@code name pattern} behind
     */
    record Named(Span span, Identifier name, List<Pattern> positional, List<Field> fields) implements Pattern {
        public Named {
            positional = List.copyOf(positional);
            fields = List.copyOf(fields);
        }
    }

    /** One named detail. */
    record Field(Span span, Identifier name, Pattern pattern) implements Node {}

    /** Equal to the value; of an integer against a range: within it. */
    record Value(Span span, Expression expression) implements Pattern {}

    /** {@code ok or EAGAIN} behind an arrow or in parentheses. */
    record Either(Span span, List<Pattern> alternatives) implements Pattern {
        public Either {
            alternatives = List.copyOf(alternatives);
        }
    }
}
