package kvasir.scripts.coverage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import kvasir.event.Event;
import kvasir.metal.snp.InstructionDone;
import kvasir.metal.snp.psp.CommandDone;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;

/**
 * {@code kvs coverage snp}: each outcome of each instruction on the reverse map, each status that each firmware command can
 * answer, and each status of the ABI, whichever command answers it.
 */
final class SnpCoverage implements Coverage {
    private static final String STATUSES = "any command";
    private static final String[][] INSTRUCTIONS = {
        {"RMPUPDATE", "SUCCESS", "FAIL_INPUT", "FAIL_PERMISSION", "FAIL_INUSE", "FAIL_OVERLAP", "#UD", "#GP"},
        {"PSMASH", "SUCCESS", "FAIL_INPUT", "FAIL_PERMISSION", "FAIL_INUSE", "#UD", "#GP"},
        {"RMPREAD", "SUCCESS", "FAIL_INPUT"},
        {"PVALIDATE", "SUCCESS", "CF=1", "FAIL_INPUT", "FAIL_SIZEMISMATCH", "#GP", "NPF"},
        {"RMPADJUST", "SUCCESS", "FAIL_INPUT", "FAIL_PERMISSION", "FAIL_SIZEMISMATCH", "#GP", "#VC", "NPF"},
        {"RMPQUERY", "SUCCESS", "FAIL_INPUT", "FAIL_PERMISSION", "#GP", "#VC", "NPF"}
    };

    @Override
    public String word() {
        return "snp";
    }

    @Override
    public String doc() {
        return "every return code of the RMP instructions and every status of each firmware command";
    }

    @Override
    public List<String> suites() {
        return List.of("scripts/snp");
    }

    @Override
    public List<Row> known() {
        var rows = new ArrayList<Row>();
        for (String[] instruction : INSTRUCTIONS) {
            Arrays.stream(instruction).skip(1).forEach(outcome -> rows.add(new Row(instruction[0], outcome)));
        }
        for (FirmwareCommand command : FirmwareCommand.values()) {
            command.statuses().forEach(status -> rows.add(new Row(command.name(), status.name())));
        }
        for (FirmwareStatus status : FirmwareStatus.values()) {
            rows.add(new Row(STATUSES, status.name()));
        }
        return rows;
    }

    @Override
    public void hear(Event event, Consumer<Row> provoked) {
        switch (event) {
            case InstructionDone done -> provoked.accept(new Row(done.instruction(), done.outcome()));
            case CommandDone done -> {
                provoked.accept(new Row(done.command(), done.status().name()));
                provoked.accept(new Row(STATUSES, done.status().name()));
            }
            default -> {}
        }
    }
}
