package kvasir.scripts.coverage;

import java.util.List;
import java.util.function.Consumer;
import kvasir.event.Event;

/** A table of what can happen, and how an event tells that a row of it did. */
public interface Coverage {
    /** The word after {@code kvs coverage}. */
    String word();

    /** What is covered, in one line for the help. */
    String doc();

    /** Folders that are run if none is named, relative to the repository. */
    List<String> suites();

    /** Everything known, in the order of the reference; no two rows are equal. */
    List<Row> known();

    /** Tells {@code provoked} each known row that {@code event} is an instance of. Most events are none. */
    void hear(Event event, Consumer<Row> provoked);

    /**
     * One thing that can happen.
     *
     * @param group the construct it belongs to, an ioctl for example; a line of the table
     * @param name what distinguishes it within its group, for a person
     */
    record Row(String group, String name) {}
}
