package kvasir.vmm.device;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The 8042 keyboard controller of a PC (IBM PS/2 Technical Reference; ports 60h and 64h) with nothing plugged in: its
 * own commands answer, a byte for a keyboard or mouse is lost. Command FEh pulses the reset line.
 */
final class Keyboard8042 implements PortDevice {
    private static final int DATA = 0x60;
    private static final int COMMAND = 0x64;
    private static final int OUTPUT_FULL = 1;
    private static final int SYSTEM_FLAG = 4;
    private static final int COMMAND_LAST = 8;
    private static final int NOT_INHIBITED = 0x10;
    private static final int AUX_OUTPUT = 0x20;
    private static final int KEYBOARD_DISABLED = 0x10;
    private static final int AUX_DISABLED = 0x20;
    private static final int KEYBOARD_GSI = 1;
    private static final int AUX_GSI = 12;

    private final Line keyboardLine;
    private final Line auxLine;
    private final Deque<Integer> output = new ArrayDeque<>();
    private int control = KEYBOARD_DISABLED | AUX_DISABLED;
    private int awaited;
    private boolean commandLast;
    private boolean reset;

    /** @param lines the interrupt line of each GSI */
    Keyboard8042(java.util.function.IntFunction<Line> lines) {
        keyboardLine = lines.apply(KEYBOARD_GSI);
        auxLine = lines.apply(AUX_GSI);
    }

    /** Whether the guest has pulsed the reset line. */
    boolean resetRequested() {
        return reset;
    }

    @Override
    public boolean owns(int port) {
        return port == DATA || port == COMMAND;
    }

    @Override
    public int read(int port, int bytes, long now) {
        if (port == COMMAND) {
            int full = output.isEmpty() ? 0 : OUTPUT_FULL | output.peekFirst() >>> 8;
            return full | (commandLast ? COMMAND_LAST : 0) | (control & SYSTEM_FLAG) | NOT_INHIBITED;
        }
        int value = output.isEmpty() ? 0 : output.removeFirst() & 0xff;
        update();
        return value;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        commandLast = port == COMMAND;
        if (commandLast) {
            command(value & 0xff);
        } else {
            data(value & 0xff);
        }
        update();
    }

    private void command(int command) {
        awaited = 0;
        switch (command) {
            case 0x20 -> answer(control);
            case 0x60, 0xd1, 0xd2, 0xd3, 0xd4 -> awaited = command;
            case 0xa7 -> control |= AUX_DISABLED;
            case 0xa8 -> control &= ~AUX_DISABLED;
            case 0xa9, 0xab -> answer(0);
            case 0xaa -> {
                control |= SYSTEM_FLAG;
                answer(0x55);
            }
            case 0xad -> control |= KEYBOARD_DISABLED;
            case 0xae -> control &= ~KEYBOARD_DISABLED;
            case 0xd0 -> answer(3);
            case 0xfe -> reset = true;
            default -> {}
        }
    }

    private void data(int value) {
        switch (awaited) {
            case 0x60 -> control = value;
            case 0xd1 -> reset |= (value & 1) == 0;
            case 0xd2 -> answer(value);
            case 0xd3 -> answer(value | AUX_OUTPUT << 8);
            default -> {}
        }
        awaited = 0;
    }

    private void answer(int value) {
        output.addLast(value);
    }

    private void update() {
        boolean full = !output.isEmpty();
        boolean aux = full && (output.peekFirst() >>> 8 & AUX_OUTPUT) != 0;
        keyboardLine.set(full && !aux && (control & 1) != 0);
        auxLine.set(aux && (control & 2) != 0);
    }

    @Override
    public Runnable checkpoint() {
        var savedOutput = List.copyOf(output);
        int savedControl = control;
        int savedAwaited = awaited;
        boolean savedCommandLast = commandLast;
        boolean savedReset = reset;
        return () -> {
            output.clear();
            output.addAll(savedOutput);
            control = savedControl;
            awaited = savedAwaited;
            commandLast = savedCommandLast;
            reset = savedReset;
        };
    }
}
