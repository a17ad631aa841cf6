/**
 * The KVS interpreter: one node class for each construct of the language, so the list of files is the list of what
 * can be said. The nodes are Truffle nodes, but they know neither a language nor a context: all state travels as an
 * {@link kvasir.scripts.nodes.Execution} in the first frame argument. Hence the same tree runs with no polyglot
 * engine at all, which is how {@code kvs run} starts in a blink, and under one, which JavaScript and debuggers need.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>execution</b>: one run of a script in one machine: its variables, output, answers, event history.
 *   <li><b>fault</b>: what ends a test, as a value that the runner turns into text.
 *   <li><b>watch</b>: the values seen while an assertion was evaluated, for its failure message.
 *   <li><b>matcher</b>: a pattern behind {@code is} or {@code ->}.
 * </ul>
 */
@NullMarked
package kvasir.scripts.nodes;

import org.jspecify.annotations.NullMarked;
