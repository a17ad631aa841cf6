package kvasir.vmm.device;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A 16550A serial port (National Semiconductor PC16550D data sheet). Transmission takes no time: what is written is
 * sent at once and the transmitter is always empty.
 */
public final class Uart16550 implements PortDevice {
    /** Base port of COM1, whose line is GSI 4. */
    public static final int COM1 = 0x3f8;

    private static final int RECEIVE_INTERRUPT = 1;
    private static final int TRANSMIT_INTERRUPT = 2;
    private static final int DATA_READY = 1;
    private static final int TRANSMITTER_EMPTY = 0x60;
    private static final int LOOPBACK = 0x10;
    private static final int OUT2 = 8;
    private static final int FIFO_BYTES = 16;

    /** Reads of the line status with nothing sent between that are a loop which waits for input. */
    private static final int LOOKS = 8;

    private final int base;
    private final Line line;
    private final IntConsumer output;
    private final Deque<Integer> input = new ArrayDeque<>();
    private int interruptEnable;
    private int lineControl = 3;
    private int modemControl;
    private int scratch;
    private int divisor = 1;
    private boolean fifo;
    private boolean transmitEmptyPending;
    private int looks;

    /**
     * @param base first of eight ports
     * @param line its interrupt
     * @param output receives each byte sent, 0 to 255
     */
    public Uart16550(int base, Line line, IntConsumer output) {
        this.base = base;
        this.line = line;
        this.output = output;
    }

    /** A byte arrives from outside. */
    public void receive(int value) {
        input.addLast(value & 0xff);
        update();
    }

    /**
     * Whether software waits for a byte and there is room: the receive interrupt is enabled, or the line status is read
     * time and again. What arrives earlier, a driver that starts throws away.
     */
    public boolean listening() {
        return input.size() < FIFO_BYTES && ((interruptEnable & RECEIVE_INTERRUPT) != 0 || looks >= LOOKS);
    }

    @Override
    public boolean owns(int port) {
        return (port & ~7) == base;
    }

    private boolean divisorLatch() {
        return (lineControl & 0x80) != 0;
    }

    private int interruptIdentification() {
        int fifoBits = fifo ? 0xc0 : 0;
        if ((interruptEnable & RECEIVE_INTERRUPT) != 0 && !input.isEmpty()) {
            return fifoBits | 4;
        }
        if ((interruptEnable & TRANSMIT_INTERRUPT) != 0 && transmitEmptyPending) {
            return fifoBits | 2;
        }
        return fifoBits | 1;
    }

    private void update() {
        boolean pending = (interruptIdentification() & 1) == 0;
        line.set(pending && (modemControl & OUT2) != 0 && (modemControl & LOOPBACK) == 0);
    }

    private int modemStatus() {
        if ((modemControl & LOOPBACK) == 0) {
            // carrier, data set ready and clear to send: somebody is there
            return 0xb0;
        }
        // in loopback the four outputs come back as inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD
        return (modemControl & 2) << 3 | (modemControl & 1) << 5 | (modemControl & 0xc) << 4;
    }

    @Override
    public int read(int port, int bytes, long now) {
        int value = switch (port - base) {
            case 0 -> divisorLatch() ? divisor & 0xff : input.isEmpty() ? 0 : input.removeFirst();
            case 1 -> divisorLatch() ? divisor >>> 8 : interruptEnable;
            case 2 -> {
                int identification = interruptIdentification();
                if ((identification & 0xf) == 2) {
                    transmitEmptyPending = false;
                }
                yield identification;
            }
            case 3 -> lineControl;
            case 4 -> modemControl;
            case 5 -> {
                looks = Math.min(looks + 1, LOOKS);
                yield TRANSMITTER_EMPTY | (input.isEmpty() ? 0 : DATA_READY);
            }
            case 6 -> modemStatus();
            default -> scratch;
        };
        update();
        return value;
    }

    @Override
    public void write(int port, int bytes, int value, long now) {
        int octet = value & 0xff;
        switch (port - base) {
            case 0 -> {
                if (divisorLatch()) {
                    divisor = divisor & 0xff00 | octet;
                } else {
                    send(octet);
                }
            }
            case 1 -> {
                if (divisorLatch()) {
                    divisor = divisor & 0xff | octet << 8;
                } else {
                    transmitEmptyPending |= (octet & ~interruptEnable & TRANSMIT_INTERRUPT) != 0;
                    interruptEnable = octet & 0xf;
                }
            }
            case 2 -> {
                fifo = (octet & 1) != 0;
                if ((octet & 2) != 0) {
                    input.clear();
                }
            }
            case 3 -> lineControl = octet;
            case 4 -> modemControl = octet & 0x1f;
            case 7 -> scratch = octet;
            default -> {}
        }
        update();
    }

    private void send(int octet) {
        if ((modemControl & LOOPBACK) != 0) {
            input.addLast(octet);
        } else {
            output.accept(octet);
        }
        transmitEmptyPending = true;
        looks = 0;
    }

    @Override
    public Runnable checkpoint() {
        var savedInput = List.copyOf(input);
        int savedInterruptEnable = interruptEnable;
        int savedLineControl = lineControl;
        int savedModemControl = modemControl;
        int savedScratch = scratch;
        int savedDivisor = divisor;
        int savedLooks = looks;
        boolean savedFifo = fifo;
        boolean savedTransmitEmptyPending = transmitEmptyPending;
        return () -> {
            input.clear();
            input.addAll(savedInput);
            interruptEnable = savedInterruptEnable;
            lineControl = savedLineControl;
            modemControl = savedModemControl;
            scratch = savedScratch;
            divisor = savedDivisor;
            looks = savedLooks;
            fifo = savedFifo;
            transmitEmptyPending = savedTransmitEmptyPending;
        };
    }
}
