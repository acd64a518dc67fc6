# Words of forms, which several views share.
form-missing = Bắt buộc nhập.
form-not-a-moment = Hãy nhập ngày và giờ, ví dụ 2026-03-31T08:30.
form-not-a-number = Hãy nhập một số, ví dụ 4.5.
form-not-a-choice = Hãy chọn một giá trị trong danh sách.
form-refused = Hệ thống không chấp nhận. Hãy sửa theo lý do sau:
form-no-step = Việc này không còn thực hiện được: dữ liệu vừa thay đổi. Hãy xem lại trạng thái hiện tại bên dưới.
form-conflict = Có người vừa thay đổi dữ liệu, hoặc trạng thái không cho phép; chưa có gì được ghi. Hãy xem lại rồi gửi lại.
form-yes = Có
form-no = Không
form-none = Không có
