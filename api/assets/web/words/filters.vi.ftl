# Why a value in an address cannot be used: filters, which several views share.
filters-not-a-choice = { $field }: không có giá trị “{ $value }”. Hãy chọn một trong các giá trị: { $allowed }.
filters-not-a-number = { $field }: “{ $value }” không dùng được. Hãy ghi một số nguyên từ { $least } đến { $most }.
filters-not-a-day = { $field }: “{ $value }” không phải là ngày dùng được. Hãy ghi một ngày từ { $first } đến { $last }, theo dạng năm-tháng-ngày, ví dụ 2026-03-31.
filters-not-a-moment = { $field }: “{ $value }” không phải là ngày dùng được. Hãy ghi một ngày từ { $first } đến { $last }, theo dạng năm-tháng-ngày, ví dụ 2026-03-31, hoặc một thời điểm, ví dụ 2026-03-31T14:05.
filters-not-a-month = { $field }: “{ $value }” không phải là tháng dùng được. Hãy ghi một tháng từ { $first } đến { $last }, theo dạng năm-tháng, ví dụ 2026-03.
filters-not-an-id = { $field }: “{ $value }” không phải là mã nhận dạng. Hãy chép mã từ địa chỉ trang của mục đó, ví dụ 018f4d2a-7c31-8b6e-9a40-5d2c1e0f3b77.
filters-has-nul = “{ $name }” trong địa chỉ có ký tự không dùng được (mã 0). Hãy bỏ ký tự đó.
filters-too-long = “{ $name }” trong địa chỉ quá dài. Hãy ghi nhiều nhất { $most } ký tự.
filters-refused = Hệ thống không hiểu một giá trị trong địa chỉ. Hãy xem lại các ô lọc, hoặc mở lại trang từ mục điều hướng.
filters-id = Mã của mục
