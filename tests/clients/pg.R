# Asks over the PostgreSQL protocol with RPostgreSQL: Rscript pg.R HOST PORT USER PASSWORD. Prints a line for each answer.
given <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages(library(RPostgreSQL))
say <- function(what, ...) cat(what, ": ", paste(..., collapse = " "), "\n", sep = "")

con <- dbConnect(
  PostgreSQL(), host = given[1], port = as.integer(given[2]), user = given[3], password = given[4], dbname = "phananh"
)
say("tables", all(c("complaints", "units") %in% dbListTables(con)))
say("fields", all(c("code", "name_vi") %in% dbListFields(con, "units")))
say("exists", dbExistsTable(con, "complaints"), dbExistsTable(con, "nothing"))
by_kind <- dbGetQuery(
  con, "SELECT kind, COUNT(*) AS n, MIN(received_on) AS first, SUM(cost_vnd) AS cost FROM complaints GROUP BY kind"
)
say("types", sapply(by_kind, function(column) class(column)[1]))
say("all", sum(by_kind$n))
say("conduct", by_kind$n[!is.na(by_kind$kind) & by_kind$kind == "CONDUCT"])
answer <- dbSendQuery(con, "SELECT complaint FROM complaints")
say("parts", nrow(fetch(answer, n = 100)), nrow(fetch(answer, n = -1)))
invisible(dbClearResult(answer))
say("parameter", dbGetQuery(con, "SELECT COUNT(*) AS n FROM complaints WHERE kind = $1", "CONDUCT")$n)
say("read", ncol(dbReadTable(con, "units")) > 3)
say("refused", is.null(suppressWarnings(dbGetQuery(con, "SELECT nothing FROM complaints"))))
say("afterwards", dbGetQuery(con, "SELECT 1 AS one")$one)
say("closed", dbDisconnect(con))
