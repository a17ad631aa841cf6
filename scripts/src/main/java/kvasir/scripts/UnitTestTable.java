package kvasir.scripts;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A folder of kvm-unit-tests, run one after the other, as a table: a line for each section of its {@code unittests.cfg},
 * then the sum.
 *
 * @param options the command's options; those of a section go before them
 * @param live whether the line of a test is shown while it runs
 */
record UnitTestTable(Map<String, String> options, PrintStream out, boolean live) {
    /** Instructions that a test may take; the longest, access.flat, takes some forty billion. */
    private static final String BUDGET = "100000000000";

    private static final int ASSERTION_FAILED = 4;

    /** Exit codes of kvm-unit-tests: status 0, and status 38 for a test that skips itself. */
    private static final int PASSED = 1;

    private static final int SKIPPED = 77;

    private static final String ERASE_LINE = "\r\u001b[K";

    /** How one test ended. */
    private enum Verdict {
        PASS("pass"),
        FAIL("FAIL"),
        SKIP("skip"),
        OUT_OF_SCOPE("out of scope");

        private final String word;

        Verdict(String word) {
            this.word = word;
        }
    }

    /** @param remark checks passed, or why not */
    private record Result(Verdict verdict, String remark) {}

    int run(Path folder) throws BootTool.Refused {
        List<UnitTests.Section> wanted = sections(folder);
        int width = wanted.stream().mapToInt(s -> s.name().length()).max().orElse(0);
        var counts = new int[Verdict.values().length];
        for (int i = 0; i < wanted.size(); i++) {
            UnitTests.Section section = wanted.get(i);
            if (live && section.outOfScope().isEmpty()) {
                out.printf("%-" + width + "s  running, %d of %d", section.name(), i + 1, wanted.size());
                out.flush();
            }
            Result result = section.outOfScope()
                    .map(why -> new Result(Verdict.OUT_OF_SCOPE, why))
                    .orElseGet(() -> boot(section));
            counts[result.verdict().ordinal()]++;
            out.printf(
                    "%s%-" + width + "s  %-12s  %s%n",
                    live ? ERASE_LINE : "",
                    section.name(),
                    result.verdict().word,
                    result.remark());
            out.flush();
        }
        out.printf(
                "%d passed, %d failed, %d skipped, %d out of scope%n",
                counts[Verdict.PASS.ordinal()],
                counts[Verdict.FAIL.ordinal()],
                counts[Verdict.SKIP.ordinal()],
                counts[Verdict.OUT_OF_SCOPE.ordinal()]);
        return counts[Verdict.FAIL.ordinal()] == 0 ? 0 : ASSERTION_FAILED;
    }

    private List<UnitTests.Section> sections(Path folder) throws BootTool.Refused {
        if (!Files.exists(folder.resolve("unittests.cfg"))) {
            throw new BootTool.Refused(
                    folder + " has no unittests.cfg: the folder x86 of built kvm-unit-tests is wanted");
        }
        String filter = options.getOrDefault("--filter", "");
        List<UnitTests.Section> all;
        try {
            all = UnitTests.read(folder);
        } catch (IOException e) {
            throw BootTool.unreadable(e);
        }
        if (all.isEmpty()) {
            throw new BootTool.Refused(folder.resolve("unittests.cfg") + " lists no test");
        }
        List<UnitTests.Section> wanted =
                all.stream().filter(s -> s.name().contains(filter)).toList();
        if (wanted.isEmpty()) {
            throw new BootTool.Refused("no test's name contains `" + filter + "`");
        }
        return wanted;
    }

    private Result boot(UnitTests.Section section) {
        var merged = new TreeMap<>(section.options());
        options.forEach(merged::putIfAbsent);
        merged.putIfAbsent("--budget", BUDGET);
        var serial = new ByteArrayOutputStream();
        var reason = new ByteArrayOutputStream();
        int code;
        try {
            BootTool.Guest guest = new BootTool(merged)
                    .load(section.file().toString(), new PrintStream(serial, false, StandardCharsets.UTF_8));
            code = guest.run(new PrintStream(reason, true, StandardCharsets.UTF_8));
        } catch (BootTool.Refused refused) {
            return new Result(Verdict.FAIL, "does not start: " + refused.getMessage());
        }
        String text = serial.toString(StandardCharsets.UTF_8);
        long passed = text.lines().filter(line -> line.startsWith("PASS:")).count();
        Optional<String> first = text.lines()
                .filter(line -> line.startsWith(code == SKIPPED ? "SKIP:" : "FAIL:"))
                .findFirst();
        return switch (code) {
            case PASSED -> new Result(Verdict.PASS, passed == 0 ? "" : checks(passed));
            case SKIPPED -> new Result(Verdict.SKIP, "by itself: " + first.orElse("no reason given"));
            default ->
                new Result(
                        Verdict.FAIL,
                        "%s passed; exit code %d; %s"
                                .formatted(
                                        checks(passed),
                                        code,
                                        first.orElse(reason.toString(StandardCharsets.UTF_8)
                                                .strip())));
        };
    }

    private static String checks(long count) {
        return count + (count == 1 ? " check" : " checks");
    }
}
