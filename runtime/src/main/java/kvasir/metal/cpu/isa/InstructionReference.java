package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import kvasir.metal.cpu.CpuidModel;

/** The instruction reference: a page printed from the rows that the decoder works by. */
public final class InstructionReference {
    private InstructionReference() {}

    /** Every encoding, in alphabetical order of the mnemonics. */
    public static String page() {
        List<Encoding> rows = InstructionTable.mnemonics().stream()
                .flatMap(mnemonic -> InstructionTable.of(mnemonic).stream())
                .toList();
        return "# Instructions\n\n" + InstructionTable.mnemonics().size() + " mnemonics, " + rows.size()
                + " encodings. Modes: 16, 32 and 64-bit code. Flags: O S Z A P C as the instruction sets them, 0, 1, ? undefined,\n"
                + "- unchanged. An encoding whose feature the processor model lacks is #UD.\n\n" + table(rows);
    }

    /** The encodings of one mnemonic, letter case aside; empty if there is none. */
    public static Optional<String> page(String mnemonic) {
        List<Encoding> rows = InstructionTable.of(mnemonic.toUpperCase(Locale.ROOT));
        return rows.isEmpty() ? Optional.empty() : Optional.of(table(rows) + models(rows));
    }

    private static String models(List<Encoding> rows) {
        return CpuidModel.all().stream()
                .map(model -> model.name() + ": "
                        + (rows.stream()
                                        .allMatch(row ->
                                                row.feature().map(model::has).orElse(true))
                                ? "all"
                                : rows.stream()
                                                .anyMatch(row -> row.feature()
                                                        .map(model::has)
                                                        .orElse(true))
                                        ? "some"
                                        : "none"))
                .collect(Collectors.joining(", ", "\nOn ", "\n"));
    }

    private static String table(List<Encoding> rows) {
        var lines = new ArrayList<String[]>();
        lines.add(new String[] {"instruction", "encoding", "modes", "feature", "flags", ""});
        for (Encoding row : rows) {
            lines.add(new String[] {
                (row.mnemonic().toLowerCase(Locale.ROOT) + " " + row.forms()).strip(),
                encoding(row),
                modes(row),
                row.feature().map(Enum::name).orElse("-"),
                row.flags().equals("------") ? "-" : row.flags(),
                remarks(row)
            });
        }
        int[] widths = new int[6];
        for (String[] line : lines) {
            for (int i = 0; i < 6; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        }
        var text = new StringBuilder();
        for (String[] line : lines) {
            var padded = new StringBuilder();
            for (int i = 0; i < 6; i++) {
                padded.append(line[i]).append(" ".repeat(widths[i] - line[i].length() + 2));
            }
            text.append(padded.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** The encoding as the manuals write it: {@code 66 0F 38 1C /r}, {@code VEX.256.66.0F38.W0 13 /r ib}. */
    private static String encoding(Encoding row) {
        var text = new StringBuilder();
        String prefix = switch (row.prefix()) {
            case ANY -> "";
            case NP -> "NP";
            case P66 -> "66";
            case PF2 -> "F2";
            case PF3 -> "F3";
        };
        String map = switch (row.map()) {
            case ONE -> "";
            case TWO_0F -> "0F";
            case THREE_0F38 -> "0F38";
            case THREE_0F3A -> "0F3A";
        };
        if (row.vex().isPresent()) {
            Encoding.Vex vex = row.vex().get();
            text.append("VEX.").append(vex.l() < 0 ? "LIG" : vex.l() == 0 ? "128" : "256");
            text.append(prefix.equals("NP") ? "" : "." + prefix).append('.').append(map);
            text.append(vex.w() < 0 ? "" : ".W" + vex.w());
        } else {
            text.append(prefix)
                    .append(prefix.isEmpty() || map.isEmpty() ? "" : " ")
                    .append(map.replace("0F3", "0F 3"));
        }
        text.append(text.isEmpty() ? "" : " ").append(String.format("%02X", row.opcode()));
        text.append(row.registerInOpcode() ? "+r" : "");
        if (row.fixedModrm() >= 0) {
            text.append(String.format(" %02X", row.fixedModrm()));
        } else if (row.modrm()) {
            text.append(row.reg() >= 0 ? " /" + row.reg() : " /r");
        }
        for (Spec spec : row.operands()) {
            text.append(
                    switch (spec.kind()) {
                        case 'I', 'J', 'A', 'O' -> " i" + spec.size();
                        case 'L' -> " /is4";
                        default -> "";
                    });
        }
        return text.toString();
    }

    private static String modes(Encoding row) {
        return row.is("i64") ? "16 32" : row.is("x64") || row.is("o64") ? "64" : "16 32 64";
    }

    private static String remarks(Encoding row) {
        var remarks = new ArrayList<String>();
        add(remarks, row, "cpl0", "ring 0");
        add(remarks, row, "pm", "protected mode");
        add(remarks, row, "lock", "LOCK");
        add(remarks, row, "rep", "REP");
        add(remarks, row, "aligned", "memory aligned");
        add(remarks, row, "alignedintel", "memory aligned on Intel");
        add(remarks, row, "undoc", "not assembled");
        for (String size : List.of("16", "32", "64")) {
            add(remarks, row, "o" + size, "operand size " + size);
            add(remarks, row, "a" + size, "address size " + size);
        }
        return String.join(", ", remarks);
    }

    private static void add(List<String> remarks, Encoding row, String attribute, String remark) {
        if (row.is(attribute)) {
            remarks.add(remark);
        }
    }
}
