package kvasir.scripts.js;

import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kvasir.registry.Range;
import org.graalvm.polyglot.Value;

/** 64-bit unsigned quantities as JavaScript writes them. */
final class Quantity {
    private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(64);
    private static final long LARGEST_EXACT_NUMBER = 1L << 53;
    private static final Pattern TEXT = Pattern.compile("(0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)([KMGT]?)");
    private static final Pattern RANGE = Pattern.compile("\\s*(\\S+?)\\s*\\.\\.\\s*(\\S+)\\s*");

    private Quantity() {}

    /** What became of a value. */
    sealed interface Result {
        /** The 64 bits. */
        record Ok(long value) implements Result {}

        /** It is no such quantity; {@code reason} is a clause: {@code 1.5 is no integer}. */
        record Wrong(String reason) implements Result {}
    }

    /** A BigInt, a whole number up to 2^53, or a text like {@code "64M"} or {@code "0xfee0_0000"}. */
    static Result of(Value value) {
        if (value.isString()) {
            return ofText(value.asString());
        }
        if (!value.isNumber()) {
            return new Result.Wrong("not a quantity");
        }
        if (!value.fitsInBigInteger()) {
            return new Result.Wrong(value.asDouble() + " is no integer");
        }
        BigInteger integer = value.asBigInteger();
        boolean bigInt = "bigint".equals(value.getMetaObject().getMetaSimpleName());
        if (!bigInt && integer.abs().compareTo(BigInteger.valueOf(LARGEST_EXACT_NUMBER)) > 0) {
            return new Result.Wrong(
                    "a number is exact only up to 2^53: write it as a BigInt, 0x" + integer.toString(16) + "n");
        }
        return ofInteger(integer);
    }

    private static Result ofInteger(BigInteger integer) {
        return integer.signum() < 0 || integer.compareTo(LIMIT) >= 0
                ? new Result.Wrong(integer + " is outside 0 .. 2^64")
                : new Result.Ok(integer.longValue());
    }

    /** {@code 4096}, {@code 0x1000}, {@code 64M}. */
    static Result ofText(String text) {
        Matcher matcher = TEXT.matcher(text.strip());
        if (!matcher.matches()) {
            return new Result.Wrong("\"" + text + "\" is no quantity");
        }
        String digits = matcher.group(1).replace("_", "");
        boolean hex = digits.length() > 1 && (digits.charAt(1) == 'x' || digits.charAt(1) == 'X');
        if (hex && digits.length() == 2) {
            return new Result.Wrong("\"" + text + "\" is no quantity");
        }
        var integer = hex ? new BigInteger(digits.substring(2), 16) : new BigInteger(digits);
        int shift = switch (matcher.group(2)) {
            case "K" -> 10;
            case "M" -> 20;
            case "G" -> 30;
            case "T" -> 40;
            default -> 0;
        };
        return ofInteger(integer.shiftLeft(shift));
    }

    /** {@code 0 .. 2M}; empty if {@code text} is no range. */
    static Optional<Range> rangeOfText(String text) {
        Matcher matcher = RANGE.matcher(text);
        return matcher.matches()
                        && ofText(matcher.group(1)) instanceof Result.Ok(long start)
                        && ofText(matcher.group(2)) instanceof Result.Ok(long end)
                ? Optional.of(new Range(start, end))
                : Optional.empty();
    }
}
