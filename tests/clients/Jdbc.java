import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;

/** Asks over the PostgreSQL protocol with the JDBC driver: Jdbc URL USER PASSWORD. Prints a line for each answer. */
class Jdbc {
    static final String SLOW =
        "SELECT COUNT(*) FROM complaints a, complaints b, complaints c WHERE a.kind || b.kind <> c.kind || a.state";

    public static void main(String[] given) throws Exception {
        try (Connection connection = DriverManager.getConnection(given[0], given[1], given[2])) {
            List<String> tables = new ArrayList<>();
            List<String> comments = new ArrayList<>();
            DatabaseMetaData about = connection.getMetaData();
            try (ResultSet found = about.getTables(null, "public", "%", new String[] {"TABLE"})) {
                while (found.next()) {
                    tables.add(found.getString("TABLE_NAME"));
                    if (found.getString("TABLE_NAME").equals("units")) comments.add(found.getString("REMARKS"));
                }
            }
            say("tables", tables.contains("complaints") && tables.contains("units"));
            List<String> columns = new ArrayList<>();
            try (ResultSet found = about.getColumns(null, "public", "complaints", "%")) {
                while (found.next()) columns.add(found.getString("COLUMN_NAME") + " " + found.getString("TYPE_NAME"));
            }
            say("columns", columns.contains("received_on date") && columns.contains("complaint text"));
            try (ResultSet found = about.getColumns(null, "public", "units", "code")) {
                while (found.next()) comments.add(found.getString("REMARKS"));
            }
            say("comments", comments.get(0).startsWith("Units. ") && comments.get(1).equals("Code of the unit."));
            say("keys", rows(about.getPrimaryKeys(null, "public", "units")) + " "
                + rows(about.getImportedKeys(null, "public", "units")) + " "
                + rows(about.getIndexInfo(null, "public", "units", false, false)));

            String counted = "SELECT kind, COUNT(*) FROM complaints WHERE received_on >= ? AND kind <> ? GROUP BY kind";
            try (PreparedStatement statement = connection.prepareStatement(counted)) {
                // From the fifth time on the driver prepares the statement and reads binary values.
                for (int time = 0; time < 7; time++) {
                    statement.setDate(1, Date.valueOf("2000-01-01"));
                    statement.setString(2, "CONDUCT");
                    long all = 0;
                    try (ResultSet rows = statement.executeQuery()) {
                        while (rows.next()) all += rows.getLong(2);
                    }
                    say("others", all);
                }
            }

            String types = "SELECT DATE '2024-01-02', TIMESTAMP '2024-01-02 03:04:05' AT TIME ZONE 'UTC',"
                + " CAST(-12.50 AS DECIMAL(10, 2)), ARRAY['a', 'b'], CAST(NULL AS BIGINT), 1.5";
            try (PreparedStatement statement = connection.prepareStatement(types);
                    ResultSet row = statement.executeQuery()) {
                row.next();
                say("date", row.getDate(1));
                say("instant", row.getTimestamp(2).toInstant());
                say("decimal", row.getBigDecimal(3));
                say("list", ((String[]) row.getArray(4).getArray()).length);
                row.getLong(5);
                say("null", row.wasNull());
                say("float", row.getDouble(6));
            }

            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(100);
                int rows = 0;
                try (ResultSet all = statement.executeQuery("SELECT complaint FROM complaints")) {
                    while (all.next()) rows++;
                }
                say("rows", rows);
            }
            connection.commit();
            connection.setAutoCommit(true);

            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT nothing FROM complaints");
            } catch (SQLException error) {
                say("error", error.getSQLState());
            }
            try (Statement statement = connection.createStatement()) {
                new Timer(true).schedule(new TimerTask() {
                    public void run() {
                        try {
                            statement.cancel();
                        } catch (SQLException error) {
                            say("cancel", error.getMessage());
                        }
                    }
                }, 1000);
                statement.executeQuery(SLOW);
            } catch (SQLException error) {
                say("cancelled", error.getSQLState());
            }
            say("valid", connection.isValid(5));
        }
        System.exit(0);
    }

    static int rows(ResultSet found) throws SQLException {
        int number = 0;
        while (found.next()) number++;
        return number;
    }

    static void say(String what, Object value) {
        System.out.println(what + ": " + value);
    }
}
