package kvasir.kvm.irqchip;

/** The PC's two 8259s: the slave interrupts through line 2 of the master. Ports 20h, 21h, A0h, A1h, 4D0h, 4D1h. */
final class PicPair {
    private static final int CASCADE = 2;

    private final Pic master = new Pic(0xf8);
    private final Pic slave = new Pic(0xde);

    /** Whether {@code port} is one of its ports. */
    static boolean owns(int port) {
        return (port & ~1) == 0x20 || (port & ~1) == 0xa0 || (port & ~1) == 0x4d0;
    }

    void setLine(int line, boolean high) {
        if (line < 8) {
            master.setLine(line, high);
        } else {
            slave.setLine(line - 8, high);
        }
        cascade();
    }

    private void cascade() {
        master.setLine(CASCADE, slave.pending(false) >= 0);
    }

    /** Whether the INTR output is high. */
    boolean interrupting() {
        return master.pending(true) >= 0;
    }

    /** The vector of an interrupt acknowledge cycle; the spurious line 7 when the request has gone. */
    int acknowledge() {
        int line = master.pending(true);
        if (line < 0) {
            return master.vector(7);
        }
        master.acknowledge(line);
        if (line != CASCADE) {
            return master.vector(line);
        }
        int slaveLine = slave.pending(false);
        if (slaveLine >= 0) {
            slave.acknowledge(slaveLine);
        }
        cascade();
        return slave.vector(slaveLine >= 0 ? slaveLine : 7);
    }

    int read(int port) {
        int value = switch (port) {
            case 0x20 -> master.readCommand(true);
            case 0x21 -> master.readData();
            case 0xa0 -> slave.readCommand(false);
            case 0xa1 -> slave.readData();
            case 0x4d0 -> master.readTriggerModes();
            default -> slave.readTriggerModes();
        };
        cascade();
        return value;
    }

    void write(int port, int value) {
        switch (port) {
            case 0x20 -> master.writeCommand(value & 0xff);
            case 0x21 -> master.writeData(value);
            case 0xa0 -> slave.writeCommand(value & 0xff);
            case 0xa1 -> slave.writeData(value);
            case 0x4d0 -> master.writeTriggerModes(value);
            default -> slave.writeTriggerModes(value);
        }
        cascade();
    }

    Pic chip(int number) {
        return number == 0 ? master : slave;
    }

    Runnable checkpoint() {
        Runnable savedMaster = master.checkpoint();
        Runnable savedSlave = slave.checkpoint();
        return () -> {
            savedMaster.run();
            savedSlave.run();
        };
    }
}
