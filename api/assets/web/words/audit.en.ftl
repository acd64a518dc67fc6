nav-audit = Audit log
audit-title = Audit log
audit-caption = Entries, the latest first
audit-about = The log says who looked at whose file, exported, asked SQL or changed tokens. It names those who were looked at by pseudonyms.
audit-total = { $count ->
    [one] { $count } entry
   *[other] { $count } entries
    }
audit-number = Number
audit-at = Time
audit-actor = Who
audit-actor-help = Such as token:name or cli.
audit-role = Role
audit-action = Action
audit-operation = Operation
audit-objects = About whom or what
audit-more = ({ $count } more characters)
audit-from = From
audit-until = Until
audit-action-LOOK = Looked at a file
audit-action-EXPORT = Exported
audit-action-SQL = Asked SQL
audit-action-TOKEN_CREATED = Created a token or enabled an account
audit-action-TOKEN_REVOKED = Revoked a token or disabled an account
audit-action-OPERATIONS_TRUSTED = Trusted operations
audit-nothing = No entry meets these conditions. Remove some filters.
