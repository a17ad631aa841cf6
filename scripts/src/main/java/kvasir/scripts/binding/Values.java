package kvasir.scripts.binding;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import kvasir.registry.Bytes;
import kvasir.registry.Described;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;
import kvasir.registry.State;

/** How the values of scripts are named, written and compared. */
public final class Values {
    private static final long PAGE = 4096;
    private static final String[] SUFFIXES = {"T", "G", "M", "K"};
    private static final int BYTES_SHOWN = 64;
    private static final int ITEMS_SHOWN = 16;

    private Values() {}

    /** What {@code value} is, with an article: {@code an integer}, {@code a vcpu}. */
    public static String kind(Object value) {
        return switch (value) {
            case Long l -> "an integer";
            case Boolean b -> "a boolean";
            case String s -> "a string";
            case Bytes b -> "a byte string";
            case Range r -> "a range";
            case List<?> l -> "a list";
            case Map<?, ?> m -> "a record";
            case Outcome.Failed f -> "an outcome, " + f.name() + ": " + f.reason();
            case Outcome o -> "an outcome";
            case State s -> "a state";
            case Described d -> article(d.api().name());
            case Guest g -> "a guest program";
            case Zeros z -> "zeros";
            case Nothing n -> "nothing";
            default -> article(value.getClass().getSimpleName());
        };
    }

    /** {@code noun} with its indefinite article. */
    public static String article(String noun) {
        return ("aeiou".indexOf(Character.toLowerCase(noun.charAt(0))) >= 0 ? "an " : "a ") + noun;
    }

    /** The value in one line, in the form in which a script would write it where it can. */
    public static String show(Object value) {
        return switch (value) {
            case Long l -> integer(l);
            case String s -> '"' + s.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
            case Bytes b -> bytes(b);
            case Range r -> address(r.start()) + " .. " + address(r.end());
            case List<?> l -> joined(l);
            case Map<?, ?> m -> record(m);
            case Outcome o -> outcome(o);
            case State s -> state(s);
            case Described d -> d.state().map(s -> d.label() + " = " + state(s)).orElseGet(d::label);
            case Guest g -> g.name();
            default -> value.toString();
        };
    }

    /** The value as {@code show} and {@code answer} give it to a person: a string is its text. */
    public static String plain(Object value) {
        return switch (value) {
            case String s -> s;
            case Described d -> d.state().map(Values::state).orElseGet(d::label);
            default -> show(value);
        };
    }

    /** Decimal below one page, else hexadecimal, with the size beside it where it is one: {@code 0x200000 (2M)}. */
    public static String integer(long value) {
        if (Long.compareUnsigned(value, PAGE) < 0) {
            return Long.toString(value);
        }
        String size = size(value);
        return size.startsWith("0x") ? size : "0x" + Long.toHexString(value) + " (" + size + ")";
    }

    /** A multiple of a binary unit by its suffix ({@code 2M}), small ones decimal, anything else hexadecimal. */
    public static String size(long value) {
        if (Long.compareUnsigned(value, 1024) < 0) {
            return Long.toString(value);
        }
        for (int i = 0; i < SUFFIXES.length; i++) {
            int shift = 10 * (SUFFIXES.length - i);
            if ((value & ((1L << shift) - 1)) == 0 && (value >>> shift) != 0 && (value >>> shift) < 1024) {
                return (value >>> shift) + SUFFIXES[i];
            }
        }
        return "0x" + Long.toHexString(value);
    }

    private static String address(long value) {
        return value == 0 ? "0" : "0x" + Long.toHexString(value);
    }

    private static String bytes(Bytes bytes) {
        return bytes.length() <= BYTES_SHOWN
                ? bytes.toString()
                : "hex\"" + bytes.hex().substring(0, 2 * BYTES_SHOWN) + "\"... (" + bytes.length() + " bytes)";
    }

    private static String joined(List<?> list) {
        var parts = new ArrayList<String>();
        for (Object item : list.subList(0, Math.min(list.size(), ITEMS_SHOWN))) {
            parts.add(show(item));
        }
        if (list.size() > ITEMS_SHOWN) {
            parts.add("... " + (list.size() - ITEMS_SHOWN) + " more");
        }
        return "[" + String.join(", ", parts) + "]";
    }

    private static String record(Map<?, ?> map) {
        var parts = new ArrayList<String>();
        map.forEach((name, value) -> parts.add(name + ": " + show(value)));
        return parts.isEmpty() ? "{}" : "{ " + String.join(", ", parts) + " }";
    }

    /** {@code ok left 0}, {@code EINVAL}, {@code IO port 0x3f8 size 1}: as an outcome clause would state it. */
    public static String outcome(Outcome outcome) {
        var text = new StringBuilder(outcome.name());
        outcome.details()
                .forEach((name, value) ->
                        text.append(' ').append(name).append(' ').append(detail(value)));
        return text.toString();
    }

    /** {@code leaf(4K, rwx)}: as a pattern would state it. */
    public static String state(State state) {
        if (state.arguments().isEmpty()) {
            return state.name();
        }
        var parts = new ArrayList<String>();
        for (Object argument : state.arguments()) {
            parts.add(
                    switch (argument) {
                        case Long l -> size(l);
                        case String word -> word;
                        default -> show(argument);
                    });
        }
        return state.name() + "(" + String.join(", ", parts) + ")";
    }

    private static String detail(Object value) {
        return switch (value) {
            case Long l when Long.compareUnsigned(l, 10) < 0 -> Long.toString(l);
            case Long l -> "0x" + Long.toHexString(l);
            case String word -> word;
            default -> show(value);
        };
    }

    /** Whether two values are the same; handles are compared by what they stand for. */
    public static boolean same(Object left, Object right) {
        return Objects.equals(left, right);
    }
}
