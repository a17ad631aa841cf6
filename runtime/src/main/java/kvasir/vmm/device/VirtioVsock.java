package kvasir.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A socket device (Virtual I/O Device Version 1.2, 5.10) whose host, CID 2, listens on the echo port 7 and nowhere else:
 * streams only, with credit both ways.
 */
public final class VirtioVsock implements VirtioDevice {
    private static final int RECEIVE = 0;
    private static final int TRANSMIT = 1;
    private static final int HEADER = 44;
    private static final long HOST = 2;
    private static final int ECHO_PORT = 7;
    private static final int STREAM = 1;
    private static final int BUFFER_BYTES = 1 << 16;

    private static final int REQUEST = 1;
    private static final int RESPONSE = 2;
    private static final int RST = 3;
    private static final int SHUTDOWN = 4;
    private static final int RW = 5;
    private static final int CREDIT_UPDATE = 6;
    private static final int CREDIT_REQUEST = 7;

    private static final int SENDS_NO_MORE = 2;
    private static final int BOTH_WAYS = 3;

    private final long cid;

    /** Connections by the guest's port. */
    private final Map<Integer, Connection> connections = new LinkedHashMap<>();

    private final Deque<Packet> waiting = new ArrayDeque<>();

    /** @param cid the guest's context identifier, at least 3 */
    public VirtioVsock(long cid) {
        this.cid = cid;
    }

    /** What goes to the guest besides data: an operation on its port. */
    private record Packet(int guestPort, int hostPort, int operation, int flags, int forwarded) {}

    /** One stream; bytes wait here until the guest has room for them. */
    private static final class Connection {
        private byte[] echo = new byte[0];
        private int sent;
        private int room;
        private int taken;
        private boolean ending;

        Connection copy() {
            var copy = new Connection();
            copy.echo = echo;
            copy.sent = sent;
            copy.room = room;
            copy.taken = taken;
            copy.ending = ending;
            return copy;
        }

        /** Bytes that the guest has room for. */
        int credit() {
            return Math.max(0, room - (sent - taken));
        }
    }

    @Override
    public int id() {
        return 19;
    }

    @Override
    public int queues() {
        return 3;
    }

    @Override
    public byte[] config() {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(cid)
                .array();
    }

    @Override
    public void notified(VirtQueue[] queues, int index) {
        VirtQueue transmit = queues[TRANSMIT];
        for (Optional<VirtQueue.Chain> next = transmit.take(); next.isPresent(); next = transmit.take()) {
            received(next.get().out());
            transmit.give(next.get(), new byte[0]);
        }
        deliver(queues[RECEIVE]);
    }

    private void received(byte[] packet) {
        if (packet.length < HEADER) {
            return;
        }
        ByteBuffer header = ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN);
        int guestPort = header.getInt(16);
        int hostPort = header.getInt(20);
        int operation = header.getShort(30);
        boolean forEcho = header.getLong(8) == HOST && hostPort == ECHO_PORT && header.getShort(28) == STREAM;
        Optional<Connection> known = forEcho ? Optional.ofNullable(connections.get(guestPort)) : Optional.empty();
        if (operation == REQUEST && forEcho && known.isEmpty()) {
            var made = new Connection();
            connections.put(guestPort, made);
            credit(made, header);
            waiting.addLast(new Packet(guestPort, ECHO_PORT, RESPONSE, 0, 0));
            return;
        }
        if (known.isEmpty() || operation == REQUEST) {
            if (forEcho) {
                connections.remove(guestPort);
            }
            if (operation != RST) {
                waiting.addLast(new Packet(guestPort, hostPort, RST, 0, 0));
            }
            return;
        }
        Connection connection = known.get();
        credit(connection, header);
        switch (operation) {
            case RW -> {
                int bytes = Math.clamp(Integer.toUnsignedLong(header.getInt(24)), 0, packet.length - HEADER);
                int held = connection.echo.length;
                byte[] more = Arrays.copyOf(connection.echo, held + bytes);
                System.arraycopy(packet, HEADER, more, held, bytes);
                connection.echo = more;
            }
            case CREDIT_REQUEST -> waiting.addLast(new Packet(guestPort, ECHO_PORT, CREDIT_UPDATE, 0, connection.sent));
            case SHUTDOWN -> {
                if ((header.getInt(32) & BOTH_WAYS) == BOTH_WAYS) {
                    connections.remove(guestPort);
                    waiting.addLast(new Packet(guestPort, ECHO_PORT, RST, 0, connection.sent));
                } else {
                    connection.ending |= (header.getInt(32) & SENDS_NO_MORE) != 0;
                }
            }
            case RST -> connections.remove(guestPort);
            default -> {}
        }
    }

    private static void credit(Connection connection, ByteBuffer header) {
        connection.room = header.getInt(36);
        connection.taken = header.getInt(40);
    }

    private void deliver(VirtQueue receive) {
        while (!waiting.isEmpty()) {
            Optional<VirtQueue.Chain> buffer = receive.take();
            if (buffer.isEmpty()) {
                return;
            }
            receive.give(buffer.get(), packet(waiting.removeFirst(), new byte[0]));
        }
        for (var entry : connections.entrySet()) {
            Connection connection = entry.getValue();
            while (connection.echo.length > 0 ? connection.credit() > 0 : connection.ending) {
                Optional<VirtQueue.Chain> buffer = receive.take();
                if (buffer.isEmpty()) {
                    return;
                }
                int bytes = Math.min(
                        Math.min(connection.echo.length, connection.credit()),
                        Math.max(0, buffer.get().room() - HEADER));
                if (connection.echo.length == 0) {
                    connection.ending = false;
                    var end = new Packet(entry.getKey(), ECHO_PORT, SHUTDOWN, BOTH_WAYS, connection.sent);
                    receive.give(buffer.get(), packet(end, new byte[0]));
                } else {
                    byte[] data = Arrays.copyOf(connection.echo, bytes);
                    connection.echo = Arrays.copyOfRange(connection.echo, bytes, connection.echo.length);
                    connection.sent += bytes;
                    var answer = new Packet(entry.getKey(), ECHO_PORT, RW, 0, connection.sent);
                    receive.give(buffer.get(), packet(answer, data));
                    if (bytes == 0) {
                        break;
                    }
                }
            }
        }
    }

    /** What came in counts as taken once it has gone back, so that the guest cannot outrun its own reading. */
    private byte[] packet(Packet what, byte[] data) {
        return ByteBuffer.allocate(HEADER + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(HOST)
                .putLong(cid)
                .putInt(what.hostPort)
                .putInt(what.guestPort)
                .putInt(data.length)
                .putShort((short) STREAM)
                .putShort((short) what.operation)
                .putInt(what.flags)
                .putInt(BUFFER_BYTES)
                .putInt(what.forwarded)
                .put(data)
                .array();
    }

    @Override
    public Runnable checkpoint() {
        var savedWaiting = new ArrayDeque<>(waiting);
        var saved = new LinkedHashMap<Integer, Connection>();
        connections.forEach((port, connection) -> saved.put(port, connection.copy()));
        return () -> {
            waiting.clear();
            waiting.addAll(savedWaiting);
            connections.clear();
            saved.forEach((port, connection) -> connections.put(port, connection.copy()));
        };
    }
}
